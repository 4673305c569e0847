import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Evaluation
import Generation
import GroundingTraining
import LatentDiffusion
import MaskGrounding
import ObjectWorld

/// `triptych evaluate grounding`: what a source of masks is worth.
struct EvaluateGroundingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grounding",
    abstract: "Measures a grounding module, or attention, on pictures whose masks are known.",
    discussion: """
      --source composed: scenes of held-out cut-outs in held-out places, noised (--count scenes) and inverted (a tenth of \
      them). --source generated: the pictures of a run, made once more from their seeds and labelled by --oracle. Figures \
      are means over classes, background left out; only what a prompt names competes. docs/EVALUATION.md says what they \
      mean. --sweep writes sweep.csv to --output.
      """)

  @OptionGroup(title: "Pictures") var pictures: EvaluationOptions
  @OptionGroup(title: "Classes") var classes: TrainingClassOptions
  @OptionGroup(title: "Masks") var masks: MaskOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Measure the step that is read, or train modules that differ in one thing and measure those.",
      valueName: "what"))
  var sweep: GroundingSweep?

  @Option(
    name: .long,
    help: ArgumentHelp("Steps of each training of a sweep.", valueName: "n"))
  var trainSteps = 2000

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Folder for sweep.csv, the trained modules of a sweep and evaluation.json; made if missing.",
      valueName: "folder"))
  var output: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --source composed: steps of the sampling run whose steps are read (default: the model's own, else 50).",
      valueName: "n"))
  var steps: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --source composed: strength of the text in inversion.", valueName: "x"))
  var guidance: Double?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --source composed: width and height of scenes in pixels (default: the model's own).",
      valueName: "n"))
  var size: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Pictures that go through the model together; changes no figure.", valueName: "n"))
  var batch = 8

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Model") var adapters: AdapterOptions
  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    guard 1...SamplingOptions.batchLimit ~= batch else {
      throw ValidationError(
        "--batch: found \(batch), expected 1 to \(SamplingOptions.batchLimit)")
    }
    if masks.ignoreBand {
      throw ValidationError("--ignore-band: a mask that is measured has to decide; leave it out")
    }
    if let size, !(SceneSettings.sides ~= size) {
      throw ValidationError(
        "--size: found \(size), expected \(SceneSettings.sides.lowerBound) to \(SceneSettings.sides.upperBound)"
      )
    }
    if sweep != nil, output == nil {
      throw ValidationError("--sweep writes sweep.csv; say where with --output FOLDER")
    }
    if let sweep, sweep != .step, pictures.source == .generated || masks.grounding != nil {
      throw ValidationError(
        "--sweep \(sweep.rawValue) trains modules of its own on composed scenes; leave out --grounding and --source "
          + "generated")
    }
    if pictures.source == .composed, pictures.data != nil, sweep != .data {
      throw ValidationError("--data goes with --source generated, or with --sweep data")
    }
    guard pictures.source == .generated else { return }
    let given = [
      ("--steps", steps != nil), ("--guidance", guidance != nil), ("--size", size != nil),
    ].first(where: \.1)
    if let given {
      throw ValidationError("\(given.0) goes with --source composed; a run says its own")
    }
  }

  func run() throws {
    runtime.apply()
    let model = try adapters.applied(to: model.load())
    let folder = try output.map(EvaluationFolder.init)
    let report: GroundingReport
    var extra: [JSONValue.Member] = []
    switch pictures.source {
    case .composed: report = try composed(model)
    case .generated:
      let measured = try generated(model)
      (report, extra) = (measured.report, measured.oracle)
    }
    try finish(report, extra, folder)
  }

  private func finish(
    _ report: GroundingReport, _ extra: [JSONValue.Member], _ folder: EvaluationFolder?
  ) throws {
    let members =
      report.members + extra + [
        .init("source", .string(pictures.source.rawValue)),
        .init("seed", .string(String(pictures.seed))),
      ]
    var lines = [report.text]
    if case .number(let own)? = extra.first?.value {
      lines.append("the oracle's own mIoU on held-out scenes: \((own * 1000).rounded() / 10)")
    }
    if let folder {
      if let sweep {
        lines.append(try folder.write(report.csv(sweep: sweep.rawValue), as: "sweep.csv"))
      }
      lines.append(try folder.write(JSONValue.object(members).text + "\n", as: "evaluation.json"))
    }
    try runtime.finish(
      members + (output.map { [.init("output", .string($0))] } ?? []),
      text: lines.joined(separator: "\n"))
  }
}
