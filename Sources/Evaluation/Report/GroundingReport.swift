public import CanonicalJSON
import DatasetFormat
import Generation

/// What an evaluation of grounding came to: a table for people, the same for programs.
public struct GroundingReport: Sendable {
  /// A part of the pictures and classes that has figures of its own.
  public struct Group: Sendable {
    /// Its name in JSON.
    public let name: String
    /// What people read.
    public let title: String
    /// Where its things come from.
    public let kind: GroundingSubject.Kind
    /// Its classes; all where nil.
    public let classes: Set<Int>?

    /// Describes a part.
    public init(
      name: String, title: String, kind: GroundingSubject.Kind, classes: Set<Int>? = nil
    ) {
      (self.name, self.title, self.kind, self.classes) = (name, title, kind, classes)
    }
  }

  /// A row of the table.
  public struct Line: Sendable {
    /// What a sweep set, and to what; empty where nothing is swept.
    public let setting: String
    /// The source of masks and how it read.
    public let row: GroundingEvaluation.Row
    /// The part of the pictures and classes.
    public let group: Group
    /// What came out.
    public let figures: GroundingFigures
  }

  /// The rows; the first is the one whose figures stand in front.
  public private(set) var lines: [Line] = []
  private let sides: ClassSides
  private let groups: [Group]
  private var first: GroundingEvaluation.Row?

  /// A report without rows.
  ///
  /// - Precondition: there is a group; the first is the one whose figures stand in front.
  public init(sides: ClassSides, groups: [Group]) {
    precondition(!groups.isEmpty, "a report without groups")
    (self.sides, self.groups) = (sides, groups)
  }

  /// Adds what was measured; groups without a picture have no row.
  ///
  /// - Parameters:
  ///   - rows: what was measured.
  ///   - setting: what a sweep set; a row's own step where it has one.
  ///   - other: the split that these rows are held against; the report's where nil.
  public mutating func add(
    _ rows: [GroundingEvaluation.Row], setting: String? = nil, sides other: ClassSides? = nil
  ) {
    for row in rows {
      first = first ?? row
      for group in groups {
        guard let scores = row.scores[group.kind] else { continue }
        let figures = GroundingFigures(scores, of: group.classes, sides: other ?? sides)
        guard figures.classes > 0 else { continue }
        let setting = setting ?? row.step.map(String.init) ?? ""
        lines.append(Line(setting: setting, row: row, group: group, figures: figures))
      }
    }
  }

  /// The members of the result, those of the contract first.
  public var members: [JSONValue.Member] {
    guard let front = lines.first else { return [] }
    return front.figures.members
      + [
        .init("rows", .array(lines.map { .object(description(of: $0) + $0.figures.members) })),
        .init("per_class", .object(perClass)),
      ]
  }

  private func description(of line: Line) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if !line.setting.isEmpty { members.append(.init("setting", .string(line.setting))) }
    members += [
      .init("inversion", .string(line.row.inversion)),
      .init("mask_source", .string(line.row.source)),
    ]
    if let step = line.row.step {
      members += [
        .init("step", .integer(Int64(step))),
        .init("timestep", line.row.timestep.map { .integer(Int64($0)) } ?? .null),
      ]
    }
    return members + [.init("group", .string(line.group.name))]
  }

  /// The figures of each class in the first row, by name.
  private var perClass: [JSONValue.Member] {
    guard let first else { return [] }
    return sides.table.entries.compactMap { entry in
      guard
        let kind = GroundingSubject.Kind.allCases.first(where: {
          first.scores[$0]?.regions.entries[entry.id] != nil
        }), let scores = first.scores[kind], let own = scores.regions.entries[entry.id]
      else { return nil }
      // The narrowest group says most.
      let group = groups.last { $0.kind == kind && $0.classes?.contains(entry.id) ?? true }
      return .init(
        entry.name,
        [
          "id": .integer(Int64(entry.id)), "split": .string(entry.split.rawValue),
          "group": .string(group?.name ?? kind.rawValue),
          "pictures": .integer(Int64(own.pictures)),
          "iou": .share(own.region.intersectionOverUnion),
          "boundary_iou": .share(own.band.intersectionOverUnion),
          "ceiling_iou": .share(scores.ceiling.intersectionOverUnion(entry.id)),
          "presence_accuracy": .share(scores.presence[entry.id]?.accuracy),
        ])
    }
  }

  /// The table as comma separated values, a row a line, for a sweep.
  ///
  /// - Parameter sweep: the name of what is swept.
  /// - Returns: the text, names of columns first.
  public func csv(sweep: String) -> String {
    let head = [
      sweep, "timestep", "inversion", "mask_source", "group", "pictures", "classes", "seen_miou",
      "unseen_miou", "harmonic_miou", "miou", "ceiling_miou", "boundary_iou", "presence_accuracy",
    ]
    let rows = lines.map { line -> [String] in
      let figures = line.figures
      let shares = [
        figures.split.seen, figures.split.unseen, figures.split.harmonic, figures.meanIoU,
        figures.ceiling, figures.boundaryIoU, figures.presence.accuracy,
      ]
      return [
        line.setting, line.row.timestep.map(String.init) ?? "", line.row.inversion,
        line.row.source, line.group.name, String(figures.pictures), String(figures.classes),
      ] + shares.map { $0.map { String(Labels.rounded($0)) } ?? "" }
    }
    return ([head] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
  }
}

extension GroundingFigures {
  /// All figures, the contract's names first.
  var members: [JSONValue.Member] {
    [
      .init("seen_miou", .share(split.seen)), .init("unseen_miou", .share(split.unseen)),
      .init("harmonic_miou", .share(split.harmonic)), .init("miou", .share(meanIoU)),
      .init("presence_accuracy", .share(presence.accuracy)),
      .init(
        "presence",
        .object(
          PresenceTally.Group.allCases.map { .init($0.rawValue, .share(presence.accuracy($0))) })),
      .init("boundary_iou", .share(boundaryIoU)), .init("combined_iou", .share(combinedIoU)),
      .init("ceiling_miou", .share(ceiling)),
      .init("ceiling_seen_miou", .share(ceilingSplit.seen)),
      .init("ceiling_unseen_miou", .share(ceilingSplit.unseen)),
      .init("pictures", .integer(Int64(pictures))), .init("classes", .integer(Int64(classes))),
    ]
  }
}

extension JSONValue {
  /// Six places; null for what was not measured.
  static func share(_ value: Double?) -> JSONValue {
    value.map { .number(Labels.rounded($0)) } ?? .null
  }
}
