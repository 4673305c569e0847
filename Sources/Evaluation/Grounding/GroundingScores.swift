public import Imaging
public import MaskGrounding

/// What a source of masks was worth on some pictures.
public struct GroundingScores: Sendable {
  /// How many pictures named the same classes.
  private var pictures: [Set<Int>: Int] = [:]
  /// Where things were found.
  public private(set) var regions = RegionTally()
  /// Where they could have been found at best: the truth, taken through the module's resolution.
  public private(set) var ceiling = RegionTally()
  /// Whether they were found, by class.
  public private(set) var presence: [Int: PresenceTally] = [:]

  /// Nothing yet.
  public init() {}

  /// Adds a picture's mask.
  ///
  /// - Parameters:
  ///   - subject: the picture.
  ///   - found: the mask of its entities alone.
  ///   - best: the mask that its truth becomes.
  public mutating func add(_ subject: GroundingSubject, found: ComposedMask, best: LabelMask) {
    let ids = Self.distinct(subject.entities)
    pictures[Set(ids), default: 0] += 1
    regions.add(truth: subject.truth, prediction: found.mask, classes: ids)
    ceiling.add(truth: subject.truth, prediction: best, classes: ids)
    let there = Set(subject.truth.ids)
    for id in ids {
      guard let place = subject.entities.firstIndex(where: { $0.classID == id }) else { continue }
      addPresence(
        id, there.contains(UInt16(id)) ? .present : .namedAbsent,
        saidPresent: found.scores[place].isPresent)
    }
  }

  /// Adds an answer about a thing that is not in a picture.
  public mutating func addPresence(
    _ id: Int, _ group: PresenceTally.Group, saidPresent: Bool
  ) {
    presence[id, default: PresenceTally()].add(group, saidPresent: saidPresent)
  }

  /// Pictures that named one of some classes, any where nil.
  public func pictures(of ids: Set<Int>?) -> Int {
    pictures.reduce(0) { $0 + (ids?.isDisjoint(with: $1.key) ?? false ? 0 : $1.value) }
  }

  /// The presence of some classes together, of all where nil.
  public func presence(of ids: Set<Int>?) -> PresenceTally {
    presence.filter { ids?.contains($0.key) ?? true }.reduce(into: PresenceTally()) {
      $0.add($1.value)
    }
  }

  static func distinct(_ entities: [Entity]) -> [Int] {
    var seen: Set<Int> = []
    return entities.map(\.classID).filter { seen.insert($0).inserted }
  }
}
