import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Evaluation
import Generation

/// `triptych evaluate masks`: what masks in files are worth.
struct EvaluateMasksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "masks",
    abstract: "Measures masks in files against true ones.",
    discussion: """
      Masks are palette or grey PNG, or grey TIFF, of 8 or 16 bits, and go by their names without end; either side may be \
      a run. 255 of 8 bits and 65535 of 16 are ignored where they are true. All figures come from one confusion matrix \
      over all pictures. docs/EVALUATION.md says what they mean and how published data sets are read.
      """)

  @Option(
    name: .long,
    help: ArgumentHelp("A folder of masks, or a run, to be measured.", valueName: "folder"))
  var predicted: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A folder of true masks, a run, or with --protocol the data set.", valueName: "folder"))
  var truth: String

  @OptionGroup(title: "Scoring") var scoring: ScoringOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A value of true masks that is ignored beside 255 or 65535.", valueName: "n"))
  var ignore: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The value of the first class in folders of masks: 1, 0 being no class, or 0 as detectron2 writes; with --protocol in "
        + "the predicted ones.", valueName: "0|1"))
  var firstClass = 1

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    guard 0...1 ~= firstClass else {
      throw ValidationError("--first-class: found \(firstClass), expected 0 or 1")
    }
    if let ignore, !(0...65535 ~= ignore) {
      throw ValidationError("--ignore: found \(ignore), expected 0 to 65535")
    }
    if ignore != nil, let benchmark = scoring.benchmark {
      throw ValidationError("--ignore: \(benchmark.rawValue) says it itself; leave it out")
    }
  }

  func run() throws {
    runtime.apply()
    if let fewShot = try scoring.fewShot(truth) { return try measure(fewShot) }
    let truth = try trueMasks()
    let evaluation = try SegmentationEvaluation(
      truth.pictures, boundaryShare: scoring.boundaryWidth)
    let masks = try PredictedMasks(
      path: predicted, classes: truth.pictures.classes, values: MaskValues(first: firstClass))
    let progress = ProgressReporter(total: truth.pictures.names.count, unit: "picture")
    let tally = try evaluation.tally(masks, folding: scoring.benchmark?.folding) { done in
      try Interruption.check("evaluate", leaving: "no figures were written", progress)
      progress.update(done: Double(done))
    }
    progress.finish()
    let report = SegmentationReport(
      tally, table: try scoring.classes(of: truth.pictures), absent: scoring.absent,
      onlyMet: !truth.isNamed)
    try runtime.finish(report.members + said, text: report.text)
  }

  private func measure(_ fewShot: FewShotBenchmark) throws {
    guard firstClass == 1 else {
      throw ValidationError("--first-class: episodes ask for one class; leave it out")
    }
    Console.note("triptych: episodes: \(Console.oneLine(fewShot.origin))")
    let progress = ProgressReporter(total: fewShot.episodes.count, unit: "episode")
    let tally = try fewShot.tally(MaskFolder(predicted)) { done in
      try Interruption.check("evaluate", leaving: "no figures were written", progress)
      progress.update(done: Double(done))
    }
    progress.finish()
    let report = FewShotReport(tally, of: fewShot, absent: scoring.absent)
    try runtime.finish(report.members + said, text: report.text)
  }

  /// What was measured, for the result.
  private var said: [JSONValue.Member] {
    [
      .init("protocol", scoring.benchmark.map { .string($0.rawValue) } ?? .null),
      .init("predicted", .string(predicted)), .init("truth", .string(truth)),
    ]
  }

  /// The true masks, and whether their classes have names.
  private func trueMasks() throws -> (pictures: any LabelledPictures, isNamed: Bool) {
    let isRun = FileAccess.isFile("\(truth)/\(RunLayout.configurationFile)")
    if scoring.benchmark != nil || isRun {
      if isRun, ignore != nil {
        throw ValidationError("--ignore goes with a folder of masks; a run has 255 or 65535")
      }
      return (try scoring.pictures(truth), true)
    }
    let folder = try MaskFolder(truth)
    let own = "\(truth)/\(RunLayout.classFile)"
    let isNamed = scoring.classes != nil || FileAccess.isFile(own)
    let table = try scoring.table(
      isNamed ? BenchmarkClasses.table(own) : BenchmarkClasses.numbers(1...254))
    return (
      FolderPictures(
        folder, classes: table, values: MaskValues(first: firstClass, ignored: ignore),
        background: scoring.background ?? (firstClass == 0 ? .ignored : .scored)), isNamed
    )
  }
}
