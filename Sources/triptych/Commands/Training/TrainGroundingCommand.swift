import ArgumentParser
import CanonicalJSON
import Checkpoints
import Generation
import GroundingTraining
import LatentDiffusion
import MaskGrounding
import ObjectWorld
import TensorCore

/// `triptych train grounding`: a grounding module for a model.
struct TrainGroundingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "grounding",
    abstract: "Trains a grounding module, which reads masks of any words off a model's features.",
    discussion: """
      The pictures are scenes composed of a pack's things (--world). Only seen classes are learnt: the split stands in \
      --classes, comes from --split or is made by --seen-share. Pictures are encoded, brought to the steps that are \
      read (--inversion), and shown to the U-Net once; what is absent is asked for too. The folder gets \
      weights.safetensors (for --grounding), train.jsonl and split.tsv. Stopped at any time, the same command goes on, \
      to the same bytes.
      """)

  @Option(
    name: .long, help: ArgumentHelp("A pack of cut-outs and backgrounds.", valueName: "folder"))
  var world: String

  @OptionGroup(title: "Classes") var classes: TrainingClassOptions
  @OptionGroup(title: "Pictures") var pictures: TrainingPictureOptions
  @OptionGroup(title: "Training") var training: GroundingTrainingOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The folder of the training; the same command on it goes on.", valueName: "folder"))
  var output: String

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Model") var adapters: AdapterOptions
  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output: is empty, expected a folder") }
  }

  func run() throws {
    runtime.apply()
    let model = try adapters.applied(to: model.load())
    let settings = try training.settings(for: model, inversion: pictures.inversion)
    let examples = try examples(for: model)
    let run = try GroundingTrainingRun(
      settings, examples: examples, model: try LoadedModel(model),
      fingerprint: try ModelFingerprint(model),
      numerics: "\(runtime.precision.rawValue)/\(runtime.numericLevel.rawValue)",
      initial: training.initial)
    let (seen, all) = (examples.classes.seen.count, examples.classes.all.count)
    Console.note(
      "triptych: \(seen) of \(all) classes are seen, \(all - seen) are not; a module of \(run.parameterCount) parameters"
    )
    let reporter = ProgressReporter(total: settings.steps * settings.batch, unit: "image")
    let outcome = try run.train(in: output) { progress in
      try Interruption.check(
        output, leaving: "the training is saved, the same command goes on", reporter)
      reporter.update(
        done: Double(progress.images),
        detail: "step \(progress.step), loss \((progress.loss * 1e4).rounded() / 1e4)")
    }
    reporter.finish()
    try report(outcome)
  }

  private func examples(for model: StableDiffusionModel) throws -> any ExampleSource {
    let pack = try WorldPack(path: world)
    let named = try SceneOptions.worldClasses(
      of: pack, classes: classes.classes, split: classes.split)
    let classes = try TrainingClasses(
      named.classes, seenShare: classes.seenShare, place: classes.classes ?? world)
    return try WorldExamples(
      pack, digest: try pack.check(), classes: classes, objects: try pictures.objectCounts(),
      side: pictures.size ?? model.usualSide, seed: training.seed)
  }

  private func report(_ outcome: GroundingTrainingRun.Outcome) throws {
    try runtime.finish(
      [
        .init("seen_samples", .integer(Int64(outcome.seenSamples))),
        .init("unseen_samples", .integer(Int64(outcome.unseenSamples))),
        .init("weights_sha256", .string(outcome.weightsSHA256)),
        .init("weights", .string(outcome.weights)),
        .init("steps_made", .integer(Int64(outcome.madeSteps))),
        .init("loss", outcome.loss.map { .number($0) } ?? .null),
      ],
      text: """
        \(outcome.seenSamples) pictures of seen classes, \(outcome.unseenSamples) with anything unseen
        weights: \(outcome.weights)
        sha256: \(outcome.weightsSHA256)
        """)
  }
}
