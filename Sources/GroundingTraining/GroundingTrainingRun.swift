public import CanonicalJSON
import Checkpoints
import DatasetFormat
public import Generation
import LatentDiffusion
import MaskGrounding
import ModelTraining
import NeuralLayers
import TensorCore

/// A training of a grounding module on the features of a model, and the folder it fills.
///
///     let run = try GroundingTrainingRun(settings, examples: examples, model: model, fingerprint: …, numerics: "…")
///     let outcome = try run.train(in: "Output/grounding") { progress in … }
///
/// The bytes of the weights follow from ``configuration``: not from the thread count, nor from where the training was
/// stopped and gone on with.
public final class GroundingTrainingRun {
  /// How far a training is.
  public struct Progress: Sendable {
    /// Steps that are made.
    public let step: Int
    /// Pictures that were learnt from.
    public let images: Int
    /// The loss of the last step, smoothed over some fifty.
    public let loss: Double
  }

  /// What came of a training.
  public struct Outcome: Sendable {
    /// The file of the weights.
    public let weights: String
    /// Its SHA-256.
    public let weightsSHA256: String
    /// Pictures that were learnt from, each of which shows seen classes.
    public let seenSamples: Int
    /// Pictures in which anything of an unseen class was: in the picture, in its words, or asked for.
    public let unseenSamples: Int
    /// Steps that were made by this call.
    public let madeSteps: Int
    /// The loss of the last steps, smoothed; nil where none was made by this call.
    public let loss: Double?
  }

  /// How the module is trained.
  public let settings: GroundingTrainingSettings
  /// All that decides the bytes of the weights, for training.json: no time, no host, no path.
  public let configuration: JSONValue
  private let examples: any ExampleSource
  private let module: GroundingConfiguration
  private let start: [String: Tensor]
  private let reader: FeatureReader
  private let queries: EntityQueryBuilder

  /// Prepares a training.
  ///
  /// - Parameters:
  ///   - settings: how the module is trained.
  ///   - examples: the pictures.
  ///   - model: the model whose features are read.
  ///   - fingerprint: of the model's files.
  ///   - numerics: how numbers are multiplied: precision and kernel level.
  ///   - initial: a module to begin with; a new one is drawn where nil.
  /// - Throws: `GenerationError` where a setting is out of range, `CheckpointError` where the module to begin with is
  ///   another model's, `DiffusionError` where the model's scheduler cannot be used.
  public init(
    _ settings: GroundingTrainingSettings, examples: any ExampleSource, model: LoadedModel,
    fingerprint: ModelFingerprint, numerics: String, initial: String? = nil
  ) throws {
    try settings.check()
    self.settings = settings
    self.examples = examples
    let (side, cell) = (examples.side, model.model.pixelsPerCell)
    guard side.width % cell == 0, side.height % cell == 0 else {
      throw GenerationError(
        .usage, "--size",
        "pictures are \(side.width) x \(side.height), expected multiples of \(cell), the model's cells"
      )
    }
    var digest: String?
    var module: GroundingConfiguration
    if let initial {
      let weights = try GroundingWeights(path: initial)
      module = weights.configuration
      try module.checkFits(
        model.unet.configuration, prediction: try model.model.prediction(), file: initial)
      start = try weights.tensors()
      digest = try FileDigest.sha256(of: initial)
    } else {
      module = try settings.configuration(for: model.model)
      start = try Self.beginning(module, seed: settings.seed)
    }
    module.presenceThreshold = settings.presenceThreshold ?? module.presenceThreshold
    self.module = module
    reader = try FeatureReader(
      model, module, inversion: settings.inversion, stepCount: settings.samplingSteps,
      negativePrompt: examples.negativePrompt)
    queries = try EntityQueryBuilder(
      tokenizer: model.tokenizer, encoder: model.encoder,
      settings: EntityQueryBuilder.Settings(module, isPublished: false))
    configuration = [
      "program": "triptych", "version": .string(ProgramVersion.text),
      "training": settings.json, "module": module.json,
      "initial_sha256": digest.map { .string($0) } ?? .null, "model": fingerprint.json,
      "examples": examples.json,
      "classes": .array(
        examples.classes.all.map { id, named in
          [
            "id": .integer(Int64(id)), "class": named.json, "split": .string(named.split.rawValue),
            "aliases": .array(named.aliases.map { .string($0) }),
          ]
        }),
      "numerics": .string("\(numerics)/\(BLAS.coreName)"),
    ]
  }

  /// A new module's weights, which at first say of everything that it may as well not be there: with the usual draws
  /// logits are some ten wide, and the first steps would only bring them down.
  private static func beginning(
    _ module: GroundingConfiguration, seed: UInt64
  ) throws -> [String: Tensor] {
    var weights = try GroundingWeights.random(module, seed: seed)
    for (key, tensor) in weights where key.hasPrefix("mask_head.layers.2.") {
      weights[key] = 0.05 * tensor
    }
    return weights
  }

  /// Parameters of the module, which the optimiser changes.
  public var parameterCount: Int {
    start.reduce(0) { $0 + (GroundingModule.isBuffer($1.key) ? 0 : $1.value.count) }
  }

  /// Trains, or goes on where a training in the folder was stopped.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - watch: told after every step; throwing ends the training, which is saved first.
  /// - Returns: what came of it.
  /// - Throws: what `watch` throws; `TrainingError` where a loss is not a number: the weights before it are saved then;
  ///   `DatasetError`, `CheckpointError`, `GenerationError`.
  public func train(in path: String, watch: (Progress) throws -> Void) throws -> Outcome {
    let folder = try TrainingFolder(path: path, configuration: configuration)
    defer { folder.giveBackLock() }
    let state = folder.path(TrainingFolder.stateFile)
    let task = "grounding \(ContentHash.sha256(configuration.canonicalText.utf8))"
    if try folder.has(TrainingFolder.weightsFile), try !folder.has(TrainingFolder.stateFile) {
      return try outcome(folder, try TrainingLog.read(folder.files, steps: settings.steps).tally)
    }
    var trainer =
      try folder.has(TrainingFolder.stateFile)
      ? Trainer(resuming: state, settings.training, task: task)
      : Trainer(start, isBuffer: GroundingModule.isBuffer, settings.training, task: task)
    let first = trainer.state.step
    var log = try TrainingLog(folder.files, steps: first)
    var smoothed: Double?
    func save() throws {
      try log.synchronize()
      try trainer.save(to: state)
      try GroundingWeights.write(
        trainer.state.weights, module, to: folder.path(TrainingFolder.weightsFile),
        storedAs: settings.storedAs)
      try folder.writeSplit(examples.classes, log.tally)
    }
    do {
      while !trainer.isFinished {
        let line = try step(&trainer)
        try log.add(line)
        let made = trainer.state.step
        smoothed = smoothed.map { 0.98 * $0 + 0.02 * Double(line.loss) } ?? Double(line.loss)
        if made % settings.saveEvery == 0 { try save() }
        try watch(
          Progress(step: made, images: made * settings.batch, loss: smoothed ?? 0))
      }
    } catch let error as DatasetError {
      throw error
    } catch {
      try save()
      throw error
    }
    try save()
    try log.close()
    // With the weights there and the state gone, a training is finished.
    try folder.files.removeFile(TrainingFolder.stateFile)
    return try outcome(folder, log.tally, made: trainer.state.step - first, loss: smoothed)
  }

  private func step(_ trainer: inout Trainer) throws -> TrainingLog.Line {
    let clock = ContinuousClock()
    let begin = clock.now
    let batch = try batch(trainer.state.step)
    let report = try trainer.step { weights, pass in
      let grounding = try GroundingModule(weights, module)
      var features = grounding.emptyFeatures
      for map in batch.maps {
        grounding.add(
          conditional: map.conditional, unconditional: map.unconditional, level: map.level,
          to: &features)
      }
      return settings.loss(
        grounding(features, entities: batch.entities, training: pass), batch.targets)
    }
    let seconds = (clock.now - begin) / .seconds(1)
    return TrainingLog.Line(
      step: report.step + 1, loss: report.loss,
      imagesPerSecond: Double(settings.batch) / max(seconds, 1e-9),
      learningRate: report.learningRate, gradientNorm: report.gradientNorm, shown: batch.shown,
      absent: batch.absent, namedAbsent: batch.namedAbsent, unseen: batch.unseen)
  }

  private func batch(_ step: Int) throws -> TrainingBatch {
    let places = step * settings.batch..<(step + 1) * settings.batch
    let found = try examples.examples(places)
    let choices = found.map { TrainingQuestion.Choice($0, classes: examples.classes) }
    let count = TrainingQuestion.size(
      step: step, seed: settings.seed, most: settings.entities, choices: choices)
    let questions = choices.indices.map { index in
      TrainingQuestion(
        choices[index], prompt: found[index].prompt, place: places.lowerBound + index,
        seed: settings.seed, count: count, classes: examples.classes)
    }
    return try TrainingBatch(
      found, questions, classes: examples.classes, reader: reader, queries: queries)
  }

  private func outcome(
    _ folder: TrainingFolder, _ tally: TrainingLog.Tally, made: Int = 0, loss: Double? = nil
  ) throws -> Outcome {
    let weights = folder.path(TrainingFolder.weightsFile)
    return Outcome(
      weights: weights, weightsSHA256: try FileDigest.sha256(of: weights),
      seenSamples: tally.steps * settings.batch - tally.unseen, unseenSamples: tally.unseen,
      madeSteps: made, loss: loss)
  }
}
