public import CanonicalJSON
import DatasetFormat

/// The figures of a few-shot protocol, for programs and for people.
public struct FewShotReport {
  private let tally: FewShotTally
  private let benchmark: FewShotBenchmark
  private let absent: SegmentationScores.AbsentClasses

  /// Scores what was counted.
  public init(
    _ tally: FewShotTally, of benchmark: FewShotBenchmark,
    absent: SegmentationScores.AbsentClasses
  ) {
    (self.tally, self.benchmark, self.absent) = (tally, benchmark, absent)
  }

  private var episodes: Int { tally.entries.values.reduce(0) { $0 + $1.episodes } }
  private var tested: [ClassTable.Entry] {
    benchmark.classes.entries.filter { tally.entries[$0.id] != nil }
  }

  /// The members of the result.
  public var members: [JSONValue.Member] {
    let sides = tally.sides
    return [
      .init("miou", .share(tally.meanIoU(absent: absent))),
      .init("fb_iou", .share(tally.foregroundBackgroundIoU)),
      .init("foreground_iou", .share(sides.foreground)),
      .init("background_iou", .share(sides.background)),
      .init(
        "per_class",
        .object(
          tested.map { entry in
            .init(
              entry.name,
              [
                "id": .integer(Int64(entry.id)),
                "iou": .share(tally.intersectionOverUnion(entry.id)),
                "episodes": .integer(Int64(tally.entries[entry.id]?.episodes ?? 0)),
              ])
          })), .init("episodes", .integer(Int64(episodes))),
      .init("classes", .integer(Int64(tested.count))),
      .init("absent_classes", .string(absent.rawValue)),
      .init("fold", benchmark.benchmark.hasFolds ? .integer(Int64(benchmark.fold)) : .null),
      .init("episodes_from", .string(benchmark.origin)),
    ]
  }

  /// The same for people: percentages, "-" for what was not measured.
  public var text: String {
    let percent = ReportTable.percent
    let sides = tally.sides
    let rows = tested.map { entry in
      [
        entry.name, percent(tally.intersectionOverUnion(entry.id)),
        String(tally.entries[entry.id]?.episodes ?? 0),
      ]
    }
    return [
      "\(episodes) episodes, \(tested.count) classes; a class that is in none "
        + (absent == .zero ? "counts as 0" : "is left out")
        + " (--absent-classes \(absent.rawValue))",
      "mIoU \(percent(tally.meanIoU(absent: absent)))  FB-IoU \(percent(tally.foregroundBackgroundIoU))"
        + "  foreground \(percent(sides.foreground))  background \(percent(sides.background))",
      ReportTable.text([["class", "IoU", "episodes"]] + rows, texts: 1),
    ].joined(separator: "\n")
  }
}
