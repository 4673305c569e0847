public import ArgumentParser
import CanonicalJSON
import Checkpoints
import Generation
public import Imaging
public import LatentDiffusion
import TensorCore

extension LatentInverter.Method: ExpressibleByArgument {}
extension ImageFit: ExpressibleByArgument {}

/// `triptych invert`: a picture to the latents it could have been made from.
struct InvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "invert",
    abstract: "Turns a picture into the latents a model would have made it from.",
    discussion: """
      The picture, PNG or JPEG of any size, is turned upright, laid on white, brought to the model's size by Lanczos' \
      filter and encoded (mean of the distribution). ddim takes the sampler's steps backwards, noise adds noise as \
      training does. triptych generate --latents FILE --scheduler ddim --guidance 1 with the same prompt and steps \
      leads back to the picture.
      """)

  @Argument(help: ArgumentHelp("The picture, PNG or JPEG.", valueName: "image"))
  var image: String

  @Option(name: .long, help: ArgumentHelp("What the picture shows.", valueName: "text"))
  var prompt = ""

  @Option(
    name: .long,
    help: ArgumentHelp("Steps (default: the model's own, else 50).", valueName: "n"))
  var steps: Int?

  @Option(name: .long, help: ArgumentHelp("How noise is found.", valueName: "method"))
  var inversion: LatentInverter.Method = .ddim

  @Option(name: .long, help: ArgumentHelp("Where the latents go.", valueName: "file"))
  var saveLatents: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Strength of the text; above 1 the way back is less exact.", valueName: "x"))
  var guidance = 1.0

  @Option(
    name: .long,
    help: ArgumentHelp("What guidance pushes away from, where it is above 1.", valueName: "text"))
  var negativePrompt = ""

  @OptionGroup var pictureSize: PictureSizeOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Where proportions differ: take the middle of the picture, or stretch all of it.",
      valueName: "way"))
  var fit: ImageFit = .crop

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Seed of --inversion noise; the noise of generate's first sample.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Model") var adapters: AdapterOptions
  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    if saveLatents.isEmpty { throw ValidationError("--save-latents: is empty, expected a file") }
  }

  func run() throws {
    runtime.apply()
    let model = try adapters.applied(to: model.load())
    let defaults = try SamplingDefaults(for: model)
    let (width, height) = pictureSize.resolved(width: model.usualSide, height: model.usualSide)
    var settings = SamplingSettings(
      steps: steps ?? defaults.steps, guidance: guidance, width: width, height: height)
    settings.negativePrompt = negativePrompt
    try settings.check(pixelsPerCell: model.pixelsPerCell)
    try WholeFile.checkPlace(saveLatents)
    let picture = try GivenPicture.read(image)
    var request = MemoryPlan.Request(settings: settings)
    request.encodes = true
    try MemoryPlan.check(model, request)
    let loaded = try LoadedModel(model)
    InspectCommand.noteSurplus(loaded.surplusTokens(prompt))
    let inverter = try PictureInverter(
      loaded, sampling: settings,
      settings: PictureInverter.Settings(method: inversion, seed: seed, fit: fit))
    let reporter = ProgressReporter(total: settings.steps, unit: "step")
    let trajectory = try inverter(
      try inverter.fitted(picture), prompt: prompt, keeping: { _, _ in false },
      onStep: { share in
        try Interruption.check(image, leaving: "nothing was written", reporter)
        reporter.update(done: share * Double(settings.steps))
      })
    reporter.finish()
    try LatentsFile.write(trajectory.start, to: saveLatents)
    try report(trajectory, settings)
  }

  private func report(_ trajectory: LatentInverter.Trajectory, _ settings: SamplingSettings) throws
  {
    let (mean, deviation) = Self.moments(of: trajectory.start)
    let timestep = trajectory.timesteps[0]
    try runtime.finish(
      [
        .init("latents", .string(saveLatents)), .init("inversion", .string(inversion.rawValue)),
        .init("steps", .integer(Int64(settings.steps))),
        .init("timestep", .integer(Int64(timestep))),
        .init("width", .integer(Int64(settings.width))),
        .init("height", .integer(Int64(settings.height))), .init("mean", .number(mean)),
        .init("std", .number(deviation)),
      ],
      text: "latents at timestep \(timestep) in \(saveLatents): mean \(InspectCommand.text(mean)), "
        + "standard deviation \(InspectCommand.text(deviation))")
  }

  private static func moments(of latents: Tensor) -> (mean: Double, deviation: Double) {
    latents.withUnsafeBuffer { values in
      let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
      let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
      return (mean, (squares / Double(values.count)).squareRoot())
    }
  }
}
