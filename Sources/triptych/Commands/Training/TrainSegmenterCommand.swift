import ArgumentParser
import CanonicalJSON
import Evaluation
import Generation
import ModelTraining
import ObjectWorld

/// `triptych train segmenter`: an oracle for pictures that a model makes.
struct TrainSegmenterCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "segmenter",
    abstract: "Trains a small segmenter on composed scenes of all classes, to label pictures with.",
    discussion: """
      The folder gets segmenter.safetensors, for triptych label and for --oracle of triptych evaluate grounding, and \
      state.safetensors. All classes are learnt, seen and unseen: it judges, and is not judged. It is measured on scenes \
      of held-out cut-outs and places. Stopped at any time, the same command goes on.
      """)

  @Option(
    name: .long, help: ArgumentHelp("The pack of cut-outs and backgrounds.", valueName: "folder"))
  var world: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Names of the classes: a .tsv as in a run folder, or what --vocabulary of generate takes (default: the pack's "
        + "categories).", valueName: "file|name|list"))
  var classes: String?

  @Option(name: .long, help: ArgumentHelp("Training steps.", valueName: "n"))
  var steps: Int

  @Option(name: .long, help: ArgumentHelp("Scenes of a step.", valueName: "n"))
  var batch = 16

  @Option(name: .long, help: ArgumentHelp("The highest learning rate.", valueName: "x"))
  var learningRate = 2e-3

  @Option(
    name: .long,
    help: ArgumentHelp("Classes in a scene: 2, 1-3, or with weights 1:3,2:1.", valueName: "n|n-m"))
  var objects = "1-3"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Width and height of scenes, a multiple of 16; pictures to label are brought to it.",
      valueName: "n"))
  var size = 128

  @Option(
    name: .long,
    help: ArgumentHelp("Held-out scenes that it is measured on, 0 for none.", valueName: "n"))
  var testCount = 400

  @Option(
    name: .long,
    help: ArgumentHelp("The training's seed, 0 to 18446744073709551615.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(name: .long, help: ArgumentHelp("Folder of the training.", valueName: "folder"))
  var output: String

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    for (name, value, range) in [
      ("--steps", steps, 1...10_000_000), ("--batch", batch, 1...1024),
      ("--test-count", testCount, 0...1_000_000),
      (
        "--size", size,
        SegmenterTraining.sides
      ),
    ] where !(range ~= value) {
      throw ValidationError(
        "\(name): found \(value), expected \(range.lowerBound) to \(range.upperBound)")
    }
    guard learningRate > 0, learningRate.isFinite else {
      throw ValidationError("--learning-rate: found \(learningRate), expected a number above 0")
    }
    if output.isEmpty { throw ValidationError("--output: is empty, expected a folder") }
  }

  func run() throws {
    runtime.apply()
    let pack = try WorldPack(path: world)
    let training = try SegmenterTraining(
      pack, classes: SceneOptions.worldClasses(of: pack, classes: classes),
      scenes: SceneSettings(objects: try ObjectCounts(parsing: objects), side: size),
      settings: SegmenterTraining.Settings(
        steps: steps, batch: batch, learningRate: learningRate, seed: seed, testCount: testCount))
    let folder = try EvaluationFolder(output)
    let progress = ProgressReporter(total: steps, unit: "step")
    let result = try training.run(in: folder.path) { report in
      try Interruption.check(
        output, leaving: "the state of the last save stays, the same command goes on", progress)
      progress.update(
        done: Double(report.step + 1),
        detail: "loss \((Double(report.loss) * 1e4).rounded() / 1e4)")
    }
    progress.finish()
    func percent(_ value: Double?) -> String {
      value.map { "\(($0 * 1000).rounded() / 10)" } ?? "not measured"
    }
    try runtime.finish(
      [
        .init("weights", .string(result.path)),
        .init("miou", result.meanIoU.map { .number($0) } ?? .null),
        .init("open_miou", result.openIoU.map { .number($0) } ?? .null),
        .init("loss", result.loss.map { .number(Double($0)) } ?? .null),
      ],
      text: """
        \(result.path)
        mIoU on held-out scenes: \(percent(result.meanIoU)) where a scene's classes compete, \
        \(percent(result.openIoU)) where all do
        """)
  }
}
