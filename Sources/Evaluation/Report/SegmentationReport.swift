public import CanonicalJSON
public import DatasetFormat

/// The figures of a segmentation, for programs and for people.
public struct SegmentationReport {
  /// The name of what belongs to no class.
  public static let background = "background"

  let scores: SegmentationScores
  let split: SplitScore?
  let boundaryShare: Double
  let pictures: Int
  /// The classes by id, the background among them where it is one.
  let names: [Int: String]
  /// The side of the split of each class, where there is one.
  let sides: [Int: ClassTable.Split]
  /// The ids that means are over.
  let counted: Set<Int>

  /// Scores what was counted.
  ///
  /// - Parameters:
  ///   - tally: what was counted.
  ///   - table: the classes.
  ///   - absent: what classes without truth are in means.
  ///   - onlyMet: leave out classes that neither truth nor prediction has: nobody named them.
  public init(
    _ tally: SegmentationTally, table: ClassTable, absent: SegmentationScores.AbsentClasses,
    onlyMet: Bool = false
  ) {
    scores = SegmentationScores(tally, absent: absent)
    boundaryShare = tally.boundaryShare
    pictures = tally.pictures
    let own = Dictionary(uniqueKeysWithValues: table.entries.map { ($0.id, $0.name) })
    names = own.merging([0: Self.background]) { name, _ in name }
    counted = Set(scores.classes.filter { !onlyMet || $0.union > 0 }.map(\.id))
    let sides = ClassSides(table)
    let hasSplit = !sides.seen.isEmpty || !sides.unseen.isEmpty
    // What no split names is as old as the seen classes.
    let seen = sides.seen.union(counted.contains(0) ? [0] : [])
    split = hasSplit ? scores.split(seen: seen, unseen: sides.unseen) : nil
    self.sides = Dictionary(uniqueKeysWithValues: table.entries.map { ($0.id, $0.split) })
      .merging([0: .seen]) { side, _ in side }
  }

  /// The members of the result.
  public var members: [JSONValue.Member] {
    var members: [JSONValue.Member] = [
      .init("miou", .share(scores.meanIoU(of: counted))),
      .init("pixel_accuracy", .share(scores.pixelAccuracy)),
      .init("mean_accuracy", .share(scores.meanAccuracy)),
      .init("frequency_weighted_iou", .share(scores.frequencyWeightedIoU)),
      .init("boundary_iou", .share(scores.boundaryIoU(of: counted))),
    ]
    if let split {
      members += [
        .init("seen_miou", .share(split.seen)), .init("unseen_miou", .share(split.unseen)),
        .init("harmonic_miou", .share(split.harmonic)),
      ]
    }
    return members + [
      .init("per_class", .object(perClass)), .init("pictures", .integer(Int64(pictures))),
      .init("classes", .integer(Int64(counted.count))),
      .init("absent_classes", .string(scores.absent.rawValue)),
      .init("absent_class_count", .integer(Int64(absentCount))),
      .init("boundary_width", .number(boundaryShare)),
      .init("labelled_pixels", .integer(Int64(scores.classes.reduce(0) { $0 + $1.truth }))),
    ]
  }

  private var absentCount: Int {
    scores.classes.count { counted.contains($0.id) && $0.truth == 0 }
  }

  private var perClass: [JSONValue.Member] {
    zip(scores.classes, scores.bands).compactMap { one, band in
      guard counted.contains(one.id) else { return nil }
      var members: [JSONValue.Member] = [
        .init("id", .integer(Int64(one.id))), .init("iou", .share(one.intersectionOverUnion)),
        .init("accuracy", .share(one.accuracy)),
        .init("boundary_iou", .share(band.intersectionOverUnion)),
        .init("truth_pixels", .integer(Int64(one.truth))),
        .init("predicted_pixels", .integer(Int64(one.predicted))),
      ]
      if split != nil {
        members.append(.init("split", .string((sides[one.id] ?? .none).rawValue)))
      }
      return .init(names[one.id] ?? String(one.id), .object(members))
    }
  }

  /// The same for people: percentages, "-" for what was not measured.
  public var text: String {
    let percent = ReportTable.percent
    let all = scores.classes.reduce(0) { $0 + $1.truth }
    var lines = [
      "\(pictures) pictures, \(counted.count) classes, \(absentCount) of them in no picture: "
        + (scores.absent == .zero ? "they count as 0 in means" : "they are left out of means")
        + " (--absent-classes \(scores.absent.rawValue))",
      "mIoU \(percent(scores.meanIoU(of: counted)))  pixel accuracy \(percent(scores.pixelAccuracy))"
        + "  mean accuracy \(percent(scores.meanAccuracy))"
        + "  frequency weighted IoU \(percent(scores.frequencyWeightedIoU))"
        + "  boundary IoU \(percent(scores.boundaryIoU(of: counted)))",
    ]
    if let split {
      lines.append(
        "seen \(percent(split.seen))  unseen \(percent(split.unseen))  harmonic \(percent(split.harmonic))"
      )
    }
    let rows = zip(scores.classes, scores.bands).compactMap { one, band -> [String]? in
      guard counted.contains(one.id) else { return nil }
      return [
        names[one.id] ?? String(one.id), percent(one.intersectionOverUnion), percent(one.accuracy),
        percent(band.intersectionOverUnion),
        percent(all > 0 ? Double(one.truth) / Double(all) : nil),
      ]
    }
    let table = ReportTable.text(
      [["class", "IoU", "accuracy", "boundary", "of all pixels"]] + rows, texts: 1)
    return (lines + [table]).joined(separator: "\n")
  }
}
