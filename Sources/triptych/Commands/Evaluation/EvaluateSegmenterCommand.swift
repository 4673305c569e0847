import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Evaluation
import Generation
import Imaging

/// `triptych evaluate segmenter`: what a segmenter is worth.
struct EvaluateSegmenterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segmenter",
    abstract: "Measures a segmenter on pictures whose masks are known.",
    discussion: """
      The data's classes compete for every pixel; in few-shot protocols one class with all the rest. A run's accepted \
      samples are measured; triptych import makes runs of VOC and COCO. All figures come from one confusion matrix over \
      all pictures. docs/EVALUATION.md says what they mean and how published data sets are read.
      """)

  @Option(
    name: .long,
    help: ArgumentHelp("A run with masks, or with --protocol the data set.", valueName: "folder"))
  var data: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A segmenter.safetensors, as triptych train segmenter makes it.", valueName: "file"))
  var model: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Keep the masks in this folder, as evaluate masks reads them; made if missing.",
      valueName: "folder"))
  var saveMasks: String?

  @OptionGroup(title: "Scoring") var scoring: ScoringOptions
  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func run() throws {
    runtime.apply()
    if let fewShot = try scoring.fewShot(data) { return try measure(fewShot) }
    let pictures = try scoring.pictures(data)
    let evaluation = try SegmentationEvaluation(pictures, boundaryShare: scoring.boundaryWidth)
    let segmenter = try Segmenter(path: model)
    let known = segmenter.ids(in: pictures.classes)
    let named = pictures.classes.entries.filter { known.contains($0.id) }
      .map { (name: $0.name, id: $0.id) }
    guard !named.isEmpty else {
      throw GenerationError(
        .malformed, model, "knows none of the \(pictures.classes.entries.count) classes of \(data)")
    }
    let saving = try saveMasks.map { try MaskSaving($0, classes: pictures.classes) }
    let progress = ProgressReporter(total: pictures.names.count, unit: "picture")
    let tally = try evaluation.tally(
      predict: { try segmenter.mask(of: $0, naming: named) },
      keep: { try saving?.keep($0, $1) }, watch: { try watch($0, progress) })
    progress.finish()
    let report = SegmentationReport(
      tally, table: try scoring.classes(of: pictures), absent: scoring.absent)
    try runtime.finish(report.members + said, text: report.text)
  }

  private func measure(_ fewShot: FewShotBenchmark) throws {
    Console.note("triptych: episodes: \(Console.oneLine(fewShot.origin))")
    let segmenter = try Segmenter(path: model)
    let known = segmenter.ids(in: fewShot.classes)
    if let unknown = fewShot.classes.entries.first(where: {
      fewShot.tested.contains($0.id) && !known.contains($0.id)
    }) {
      throw GenerationError(
        .malformed, model, "does not know \"\(unknown.name)\", for which episodes of \(data) ask")
    }
    let names = Dictionary(uniqueKeysWithValues: fewShot.classes.entries.map { ($0.id, $0.name) })
    let saving = try saveMasks.map { try MaskSaving($0, classes: fewShot.classes) }
    let progress = ProgressReporter(total: fewShot.episodes.count, unit: "episode")
    let tally = try fewShot.tally(
      predict: { picture, id in
        try segmenter.mask(
          of: picture, naming: [(names[id] ?? "", Int(FewShotTally.foreground))])
      }, keep: { try saving?.keep($0, $1) }, watch: { try watch($0, progress) })
    progress.finish()
    let report = FewShotReport(tally, of: fewShot, absent: scoring.absent)
    try runtime.finish(report.members + said, text: report.text)
  }

  private func watch(_ done: Int, _ progress: ProgressReporter) throws {
    try Interruption.check("evaluate", leaving: "no figures were written", progress)
    progress.update(done: Double(done))
  }

  /// What was measured, for the result.
  private var said: [JSONValue.Member] {
    [
      .init("protocol", scoring.benchmark.map { .string($0.rawValue) } ?? .null),
      .init("data", .string(data)), .init("model", .string(model)),
      .init("masks", saveMasks.map { .string($0) } ?? .null),
    ]
  }
}
