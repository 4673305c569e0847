public import ArgumentParser
import DatasetFormat
public import Evaluation
import Generation

extension BenchmarkProtocol: ExpressibleByArgument {}
extension SegmentationScores.AbsentClasses: ExpressibleByArgument {}
extension BackgroundRole: ExpressibleByArgument {}

/// What is scored, and how.
struct ScoringOptions: ParsableArguments {
  @Option(
    name: [.customLong("protocol"), .customLong("dataset")],
    help: ArgumentHelp(
      "Read a published data set in its published folders, and score it as published.",
      valueName: "name"))
  var benchmark: BenchmarkProtocol?

  @Option(
    name: .long,
    help: ArgumentHelp("The fold of pascal-5i and coco-20i, 0 to 3 (default: 0).", valueName: "n"))
  var fold: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The published list of a few-shot protocol: fold0.txt of pascal-5i, fold0.pkl of coco-20i, test.txt of fss-1000; "
        + "without it the masks say which pictures show a class.", valueName: "file"))
  var episodes: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What the ids of masks mean: a .tsv as in a run folder, a .json list of names, a vocabulary or its name; ids from 1 "
        + "(default: the data's own).", valueName: "file|name"))
  var classes: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Mark classes as seen or unseen by name: a preset or a file.", valueName: "name|file"))
  var split: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What a class that is in no true mask is in means: left out as by detectron2, or 0 (default: present-only; zero "
        + "in few-shot protocols, as published).", valueName: "how"))
  var absentClasses: SegmentationScores.AbsentClasses?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Whether id 0 is a class of its own, or ignored where it is true (default: class).",
      valueName: "how"))
  var background: BackgroundRole?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How wide the bands of boundary IoU are, as a share of a picture's diagonal.", valueName: "x")
  )
  var boundaryWidth = BoundaryBand.usualShare

  func validate() throws {
    guard boundaryWidth > 0, boundaryWidth <= 1 else {
      throw ValidationError(
        "--boundary-width: found \(boundaryWidth), expected above 0, at most 1")
    }
    if let fold {
      guard benchmark?.hasFolds == true else {
        throw ValidationError("--fold goes with --protocol pascal-5i or coco-20i")
      }
      guard FewShotBenchmark.folds ~= fold else {
        throw ValidationError(
          "--fold: found \(fold), expected 0 to \(FewShotBenchmark.folds.upperBound)")
      }
    }
    if episodes != nil, benchmark?.isFewShot != true {
      throw ValidationError("--episodes goes with --protocol pascal-5i, coco-20i or fss-1000")
    }
    guard let benchmark else { return }
    if background != nil {
      throw ValidationError("--background: \(benchmark.rawValue) says it itself; leave it out")
    }
    if benchmark.isFewShot, classes != nil || split != nil {
      throw ValidationError(
        "--classes and --split: \(benchmark.rawValue) has its own classes; leave them out")
    }
  }

  /// What classes that are not there are in means.
  var absent: SegmentationScores.AbsentClasses {
    absentClasses ?? benchmark?.usualAbsentClasses ?? .leftOut
  }

  /// The episodes of a few-shot protocol; nil for any other.
  ///
  /// - Throws: where they are not there or not whole.
  func fewShot(_ path: String) throws -> FewShotBenchmark? {
    guard let benchmark, benchmark.isFewShot else { return nil }
    return try FewShotBenchmark(benchmark, path: path, fold: fold ?? 0, list: episodes)
  }

  /// The classes of data that has a table, or of the file that is named, marked by the split.
  ///
  /// - Throws: `GenerationError`, `SegmenterError` or `DatasetError`.
  func table(_ own: @autoclosure () throws -> ClassTable) throws -> ClassTable {
    let table = try classes.map(BenchmarkClasses.table) ?? own()
    return try split.map { try BenchmarkClasses.marked(table, by: $0) } ?? table
  }

  /// A published data set, or a run.
  ///
  /// - Throws: where it is not there or not whole.
  func pictures(_ path: String) throws -> any LabelledPictures {
    if let benchmark { return try BenchmarkPictures(benchmark, path: path, classes: classes) }
    let contents = try RunContents.open(path: path)
    return try RunPictures(
      contents, classes: table(contents.classes), background: background ?? .scored)
  }

  /// The classes of the data, those of a data set marked by the split too.
  ///
  /// - Throws: `GenerationError` or `DatasetError`.
  func classes(of pictures: any LabelledPictures) throws -> ClassTable {
    guard benchmark != nil, let split else { return pictures.classes }
    return try BenchmarkClasses.marked(pictures.classes, by: split)
  }
}
