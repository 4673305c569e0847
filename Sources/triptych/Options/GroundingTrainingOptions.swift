import ArgumentParser
import Generation
import GroundingTraining
import LatentDiffusion
import MaskGrounding
import ModelTraining
import TensorCore

/// How a grounding module is trained.
struct GroundingTrainingOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Training steps.", valueName: "n"))
  var steps: Int

  @Option(name: .long, help: ArgumentHelp("Pictures of a step.", valueName: "n"))
  var batch = 8

  @Option(
    name: .long,
    help: ArgumentHelp("The training's seed, 0 to 18446744073709551615.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(name: .long, help: ArgumentHelp("The highest learning rate.", valueName: "x"))
  var learningRate = 5e-4

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The most entities that a picture is asked for, those that it does not show among them.",
      valueName: "n"))
  var entities = 4

  @Option(
    name: .long,
    help: ArgumentHelp("Share of the dice loss beside the cross entropy's 1.", valueName: "x"))
  var dice: Float = 1

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What the empty mask of an absent entity counts beside a present one's 1.", valueName: "x"))
  var absentMasks: Float = 0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The presence from which on an entity will count as being there, 0 to 1; stored in the file.",
      valueName: "x"))
  var presenceThreshold: Float?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Steps of the sampling runs that masks will be read from (default: the model's own, else 50).",
      valueName: "n"))
  var samplingSteps: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("The step that is read, counted from the last one, 0.", valueName: "n"))
  var readStep = 0

  @Option(
    name: .customLong("init"),
    help: ArgumentHelp("The weights of a module to begin with.", valueName: "file"))
  var initial: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Width of a new module's decoder (default: 512, or 256 for models of small texts).",
      valueName: "n"))
  var moduleWidth: Int?

  @Option(name: .long, help: ArgumentHelp("Layers of a new module's decoder.", valueName: "n"))
  var moduleLayers = 3

  @Flag(name: .long, help: "Store the weights in 16 bits, half the size.")
  var half = false

  @Option(name: .long, help: ArgumentHelp("Steps between two saves.", valueName: "n"))
  var saveEvery = 100

  func validate() throws {
    if initial != nil, moduleWidth != nil {
      throw ValidationError("--init and --module-width do not go together; the file has its own")
    }
    guard learningRate > 0, learningRate.isFinite else {
      throw ValidationError("--learning-rate: found \(learningRate), expected a number above 0")
    }
    guard dice >= 0, dice.isFinite else {
      throw ValidationError("--dice: found \(dice), expected a number from 0")
    }
    if let presenceThreshold, !(0...1 ~= presenceThreshold) {
      throw ValidationError("--presence-threshold: found \(presenceThreshold), expected 0 to 1")
    }
    guard absentMasks >= 0, absentMasks.isFinite else {
      throw ValidationError("--absent-masks: found \(absentMasks), expected a number from 0")
    }
  }

  /// The settings for a model.
  ///
  /// - Throws: `GenerationError` where one is out of range or the model's defaults cannot be read.
  func settings(
    for model: StableDiffusionModel, inversion: LatentInverter.Method
  ) throws -> GroundingTrainingSettings {
    var settings = GroundingTrainingSettings(
      steps: steps, samplingSteps: try samplingSteps ?? SamplingDefaults(for: model).steps)
    settings.batch = batch
    settings.seed = seed
    settings.learningRate = learningRate
    settings.entities = entities
    settings.loss.dice = dice
    settings.loss.absentMasks = absentMasks
    settings.presenceThreshold = presenceThreshold
    settings.inversion = inversion
    settings.width = moduleWidth
    settings.layers = moduleLayers
    settings.storedAs = half ? .float16 : .float32
    settings.saveEvery = saveEvery
    guard 0..<settings.samplingSteps ~= readStep else {
      throw GenerationError(
        .usage, "--read-step",
        "found \(readStep), expected 0 to \(settings.samplingSteps - 1) of \(settings.samplingSteps) steps"
      )
    }
    settings.reads = [.fromEnd(readStep)]
    try settings.check()
    return settings
  }
}
