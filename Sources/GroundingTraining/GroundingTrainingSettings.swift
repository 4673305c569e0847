import CanonicalJSON
public import Generation
public import LatentDiffusion
public import MaskGrounding
public import ModelTraining
public import TensorCore

/// How a grounding module is trained; all of it decides the bytes of the weights.
public struct GroundingTrainingSettings: Sendable {
  /// The width of a new module's decoder where nobody says, by the width of the model's texts.
  private static func usualWidth(textWidth: Int) -> Int { textWidth >= 512 ? 512 : 256 }
  /// The side of the decoder's field of tokens at the model's usual size, as published: 64 cells in patches of 4.
  private static let tokenSide = 16
  /// Channels of the decoder that one attention head has, as published.
  private static let headWidth = 64

  /// Training steps.
  public var steps: Int
  /// Pictures of a step.
  public var batch = 8
  /// Of everything that is drawn at random, beside the pictures.
  public var seed: UInt64 = 0
  /// The highest learning rate.
  public var learningRate = 5e-4
  /// What counts how much.
  public var loss = GroundingLoss(absentMasks: 0)
  /// The most entities that a picture is asked for.
  public var entities = 4
  /// How a sampling run comes to its steps: as many as generating takes.
  public var samplingSteps: Int
  /// How pixels are brought to the steps that are read.
  public var inversion: LatentInverter.Method = .noise
  /// The calls of the U-Net that are read.
  public var reads: [GroundingStep] = [.fromEnd(0)]
  /// The width of a new module's decoder; the model's size decides where nil.
  public var width: Int?
  /// The layers of a new module's decoder.
  public var layers = 3
  /// The presence from which on an entity will count as being there, 0...1; the module's own where nil.
  public var presenceThreshold: Float?
  /// How the file of the weights stores them: float32, or float16 for half the size.
  public var storedAs = ElementType.float32
  /// Steps between two saves.
  public var saveEvery = 100

  /// Settings with usual values.
  public init(steps: Int, samplingSteps: Int) {
    (self.steps, self.samplingSteps) = (steps, samplingSteps)
  }

  /// The shape of a new module for a model.
  ///
  /// - Throws: `DiffusionError` where the model's scheduler file cannot be used.
  public func configuration(for model: StableDiffusionModel) throws -> GroundingConfiguration {
    let unet = model.unetConfiguration
    let width = width ?? Self.usualWidth(textWidth: unet.textWidth)
    var configuration = GroundingConfiguration(
      for: unet, prediction: try model.prediction(), pixelsPerCell: model.pixelsPerCell,
      width: width, heads: max(1, width / Self.headWidth), layers: layers)
    configuration.patch = max(1, unet.sampleSize / Self.tokenSide)
    configuration.steps = reads
    return configuration
  }

  /// What the optimiser is told.
  var training: TrainingSettings {
    TrainingSettings(
      learningRate: learningRate,
      schedule: LearningRateSchedule(
        .cosine(end: 0.01), total: steps, warmUp: min(500, steps / 20)), gradientLimit: 1,
      statisticsMomentum: 0.05, seed: seed)
  }

  /// Refuses what cannot be.
  ///
  /// - Throws: `GenerationError` naming option, value and range.
  public func check() throws {
    func check(_ option: String, _ found: Int, _ range: ClosedRange<Int>) throws {
      guard range ~= found else {
        throw GenerationError(
          .usage, option,
          "found \(found), expected \(range.lowerBound) to \(range.upperBound)")
      }
    }
    try check("--steps", steps, 1...100_000_000)
    try check("--batch", batch, 1...1024)
    try check("--entities", entities, 1...64)
    try check("--sampling-steps", samplingSteps, SamplingSettings.stepRange)
    try check("--save-every", saveEvery, 1...1_000_000)
    try check("--module-layers", layers, 1...64)
    if let width { try check("--module-width", width, 8...4096) }
    if let width, width % max(1, width / Self.headWidth) != 0 {
      throw GenerationError(
        .usage, "--module-width",
        "found \(width), expected a multiple of \(Self.headWidth), or less than that")
    }
  }

  /// The settings for the training's configuration; not how often is saved, which changes no byte.
  var json: JSONValue {
    [
      "steps": .integer(Int64(steps)), "batch": .integer(Int64(batch)),
      "seed": .string(String(seed)), "learning_rate": .number(learningRate),
      "entities": .integer(Int64(entities)),
      "loss": [
        "cross_entropy": .number(Double(loss.crossEntropy)), "dice": .number(Double(loss.dice)),
        "presence": .number(Double(loss.presence)),
        "absent_masks": .number(Double(loss.absentMasks)),
      ],
      "sampling_steps": .integer(Int64(samplingSteps)),
      "inversion": .string(inversion.rawValue), "stored_as": .string(storedAs.rawValue),
    ]
  }
}
