import ArgumentParser
import CanonicalJSON
import DatasetFormat
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
      The pictures are scenes composed of a pack's things (--world), or those of a run folder (--data): composed, \
      imported or generated, with the run's masks or a detector's (--annotations). Only seen classes are learnt: the \
      split stands in --classes, comes from --split or is made by --seen-share. What the U-Net makes of a picture is \
      read as generating reads it, and what is absent is asked for too. The folder gets weights.safetensors (for \
      --grounding), train.jsonl and split.tsv. Stopped at any time, the same command goes on, to the same bytes.
      """)

  @Option(
    name: .long, help: ArgumentHelp("A pack of cut-outs and backgrounds.", valueName: "folder"))
  var world: String?

  @Option(name: .long, help: ArgumentHelp("A run folder with masks.", valueName: "folder"))
  var data: String?

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
    guard (world == nil) != (data == nil) else {
      throw ValidationError(
        world == nil
          ? "give --world or --data: what should be learnt from?"
          : "--world and --data do not go together; give one of them")
    }
    try pictures.validate(isRun: data != nil)
  }

  func run() throws {
    runtime.apply()
    let model = try adapters.applied(to: model.load())
    let settings = try training.settings(for: model, inversion: pictures.inversion ?? .noise)
    let loaded = try LoadedModel(model)
    let fingerprint = try ModelFingerprint(model)
    let examples: any ExampleSource
    if let data {
      examples = try runExamples(RunContents.open(path: data), loaded, fingerprint, settings)
    } else {
      examples = try worldExamples(of: WorldPack(path: world ?? ""), usualSide: model.usualSide)
    }
    let run = try GroundingTrainingRun(
      settings, examples: examples, model: loaded, fingerprint: fingerprint,
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

  private func worldExamples(of pack: WorldPack, usualSide: Int) throws -> WorldExamples {
    try WorldExamples(
      pack, digest: try pack.check(), classes: classes.classes(of: pack),
      objects: try pictures.objectCounts(), side: pictures.size ?? usualSide, seed: training.seed)
  }

  private func runExamples(
    _ run: RunContents, _ model: LoadedModel, _ fingerprint: ModelFingerprint,
    _ settings: GroundingTrainingSettings
  ) throws -> RunExamples {
    let learnt = try classes.classes(of: run)
    // Pictures of another model, and those that nobody generated, are encoded; so are all on request.
    let ways =
      pictures.inversion == nil
      ? try GeneratedWays(
        run, model: model, fingerprint: fingerprint, reads: settings.reads,
        folder: output + "/latents") : nil
    let side = pictures.size ?? model.model.usualSide
    let examples = try RunExamples(
      run, classes: learnt, annotations: try pictures.annotations(of: run, classes: learnt),
      ways: ways, side: ways?.side ?? (side, side), seed: training.seed)
    let census = examples.census
    Console.note(
      "triptych: \(census.used) samples are learnt from"
        + (ways == nil ? "" : ", as this model made them")
        + "; left out are \(census.rejected) rejected, \(census.unseen) with an unseen class, \(census.empty) without a seen one"
    )
    return examples
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
