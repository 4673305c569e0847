public import ArgumentParser
import Checkpoints
import Generation
public import LatentDiffusion
import TensorCore

extension SchedulerConfiguration.Kind: ExpressibleByArgument {
  /// Those that pictures are made with.
  public static var allValueStrings: [String] { samplers.map(\.rawValue) }
}

/// How pictures are sampled.
struct SamplingOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp("Denoising steps (default: the model's own, else 50).", valueName: "n"))
  var steps: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("Strength of the text (default: the model's own, else 7.5).", valueName: "x")
  )
  var guidance: Double?

  @Option(
    name: .long, help: ArgumentHelp("Contrast to take back from guidance, 0 to 1.", valueName: "x"))
  var guidanceRescale = 0.0

  @Option(name: .long, help: ArgumentHelp("What the pictures should not show.", valueName: "text"))
  var negativePrompt = ""

  @OptionGroup var pictureSize: PictureSizeOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How to step (default: as the model's configuration says).", valueName: "name"))
  var scheduler: SchedulerConfiguration.Kind?

  @Option(
    name: .long,
    help: ArgumentHelp("Share of fresh noise at each step of ddim, 0 to 1.", valueName: "x"))
  var eta = 0.0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Samples that go through the model together; changes no byte.", valueName: "n"))
  var batch = 1

  static let batchLimit = 1024

  func validate() throws {
    guard 1...Self.batchLimit ~= batch else {
      throw ValidationError("--batch: found \(batch), expected 1 to \(Self.batchLimit)")
    }
  }

  /// The settings for a model; `latents` [n, h, w, c] decide the size where they are given.
  func settings(for model: StableDiffusionModel, latents: Tensor?) throws -> SamplingSettings {
    let defaults = try SamplingDefaults(for: model)
    let cell = model.pixelsPerCell
    let (width, height) = pictureSize.resolved(
      width: latents.map { $0.shape[2] * cell } ?? model.usualSide,
      height: latents.map { $0.shape[1] * cell } ?? model.usualSide)
    var settings = SamplingSettings(
      steps: steps ?? defaults.steps, guidance: guidance ?? defaults.guidance, width: width,
      height: height)
    settings.guidanceRescale = guidanceRescale
    settings.negativePrompt = negativePrompt
    settings.scheduler = scheduler
    settings.eta = eta
    try settings.check(pixelsPerCell: cell)
    if let latents,
      latents.shape[1] * cell != settings.height || latents.shape[2] * cell != settings.width
    {
      throw GenerationError(
        .usage, "--latents",
        "they make pictures of \(latents.shape[2] * cell) x \(latents.shape[1] * cell) pixels, asked for are "
          + "\(settings.width) x \(settings.height)")
    }
    return settings
  }
}
