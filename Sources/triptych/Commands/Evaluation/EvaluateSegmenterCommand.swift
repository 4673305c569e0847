import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Evaluation
import Generation
import Imaging
import OpenVocabulary

/// `triptych evaluate segmenter`: what a segmenter is worth.
struct EvaluateSegmenterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segmenter",
    abstract: "Measures a segmenter on pictures whose masks are known.",
    discussion: """
      The model is LSeg, SED or a segmenter.safetensors of triptych train segmenter. The data's classes compete for every \
      pixel, said by name and aliases; --labels NAME=word|word says them otherwise. In few-shot protocols one class \
      competes with all the rest. A run's accepted samples are measured; triptych import makes runs of VOC and COCO. All \
      figures come from one confusion matrix over all pictures. docs/EVALUATION.md says what they mean and how published \
      data sets are read.
      """)

  @Option(
    name: .long,
    help: ArgumentHelp("A run with masks, or with --protocol the data set.", valueName: "folder"))
  var data: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Keep the masks in this folder, as evaluate masks reads them; made if missing.",
      valueName: "folder"))
  var saveMasks: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What is said for all that is no class, where the background is one (default: other; background in voc-21, others "
        + "in few-shot protocols).", valueName: "label"))
  var backgroundLabel: String?

  @Flag(
    name: .long,
    help: "LSeg: show each picture at six scales, mirrored too, as its published evaluation does.")
  var multiScale = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Show pictures as squares of this side (default: as published).", valueName: "pixels"))
  var inputSize: Int?

  @OptionGroup(title: "Scoring") var scoring: ScoringOptions
  @OptionGroup(title: "Labels") var labels: LabelOptions
  @OptionGroup(title: "Model") var segmenter: SegmenterOptions
  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    if backgroundLabel?.isEmpty == true {
      throw ValidationError("--background-label: is empty, expected a word")
    }
  }

  func run() throws {
    runtime.apply()
    if let fewShot = try scoring.fewShot(data) { return try measure(fewShot) }
    let pictures = try scoring.pictures(data)
    let evaluation = try SegmentationEvaluation(pictures, boundaryShare: scoring.boundaryWidth)
    let model = try opened()
    let classes =
      try scoring.benchmark?.predictedVocabulary.map { try BenchmarkClasses.table($0) }
      ?? pictures.classes
    let isScored = pictures.background == .scored && scoring.benchmark?.folding == nil
    let rest = backgroundLabel ?? scoring.benchmark?.restLabel ?? LabelList.other
    let saving = try saveMasks.map { try MaskSaving($0, classes: classes) }
    let predict = try model.predictor(
      of: classes.entries, rest: isScored ? rest : nil, data: data)
    let progress = ProgressReporter(total: pictures.names.count, unit: "picture")
    let tally = try evaluation.tally(
      predict: predict, folding: scoring.benchmark?.folding,
      keep: { try saving?.keep($0, $1) }, watch: { try watch($0, progress) })
    progress.finish()
    let report = SegmentationReport(
      tally, table: try scoring.classes(of: pictures), absent: scoring.absent)
    try runtime.finish(report.members + said(of: model), text: report.text)
  }

  private func measure(_ fewShot: FewShotBenchmark) throws {
    Console.note("triptych: episodes: \(Console.oneLine(fewShot.origin))")
    let model = try opened()
    let saving = try saveMasks.map { try MaskSaving($0, classes: fewShot.classes) }
    let predict = try model.episodePredictor(
      of: fewShot.classes.entries.filter { fewShot.tested.contains($0.id) },
      rest: backgroundLabel ?? fewShot.benchmark.restLabel ?? LabelList.other)
    let progress = ProgressReporter(total: fewShot.episodes.count, unit: "episode")
    let tally = try fewShot.tally(
      predict: predict, keep: { try saving?.keep($0, $1) }, watch: { try watch($0, progress) })
    progress.finish()
    let report = FewShotReport(tally, of: fewShot, absent: scoring.absent)
    try runtime.finish(report.members + said(of: model), text: report.text)
  }

  private func opened() throws -> EvaluatedSegmenter {
    try EvaluatedSegmenter(
      segmenter, labels, multiScale: multiScale, inputSize: inputSize, runtime)
  }

  private func watch(_ done: Int, _ progress: ProgressReporter) throws {
    try Interruption.check("evaluate", leaving: "no figures were written", progress)
    progress.update(done: Double(done))
  }

  /// What was measured, for the result.
  private func said(of model: EvaluatedSegmenter) -> [JSONValue.Member] {
    [
      .init("protocol", scoring.benchmark.map { .string($0.rawValue) } ?? .null),
      .init("data", .string(data)), .init("model", .string(segmenter.model)),
      .init("architecture", .string(model.name)),
      .init("masks", saveMasks.map { .string($0) } ?? .null),
    ]
  }
}
