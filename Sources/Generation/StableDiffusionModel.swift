public import Checkpoints
public import LatentDiffusion
import TensorCore
public import TextConditioning

/// A Stable Diffusion model folder, its parts loaded one by one.
public struct StableDiffusionModel: Sendable {
  /// The folder.
  public let folder: ModelFolder
  /// The shape of the denoiser.
  public let unetConfiguration: UNetConfiguration
  /// The shape of the autoencoder.
  public let autoencoderConfiguration: AutoencoderConfiguration

  /// Reads and checks the folder's configurations; no weight is read yet.
  ///
  /// - Throws: `CheckpointError` or `DiffusionError` naming file and key.
  public init(path: String) throws {
    folder = try ModelFolder(path: path)
    unetConfiguration = try UNetConfiguration(
      try folder.configuration("unet"), file: folder.file("unet", "config.json"))
    autoencoderConfiguration = try AutoencoderConfiguration(
      try folder.configuration("vae"), file: folder.file("vae", "config.json"))
    guard unetConfiguration.inputs == autoencoderConfiguration.latentChannels,
      unetConfiguration.outputs == unetConfiguration.inputs
    else {
      throw CheckpointError(
        .unsupported, file: folder.file("unet", "config.json"), key: "in_channels",
        "found \(unetConfiguration.inputs) in and \(unetConfiguration.outputs) out, expected the "
          + "autoencoder's \(autoencoderConfiguration.latentChannels); models for inpainting and the "
          + "like are not sampled here")
    }
  }

  /// The side of pictures the model was made for, in pixels.
  public var usualSide: Int { unetConfiguration.sampleSize * pixelsPerCell }

  /// Pixels of a side that become one latent cell.
  public var pixelsPerCell: Int { autoencoderConfiguration.pixelsPerCell }

  /// Loads the tokenizer.
  ///
  /// - Throws: `CheckpointError`.
  public func tokenizer() throws -> CLIPTokenizer {
    try CLIPTokenizer(folder: folder.folder("tokenizer"))
  }

  /// Loads the text encoder and checks that it fits the denoiser.
  ///
  /// - Throws: `CheckpointError`.
  public func textEncoder() throws -> CLIPTextEncoder {
    let configuration = try textConfiguration()
    guard configuration.width == unetConfiguration.textWidth else {
      throw CheckpointError(
        .wrongShape, file: folder.file("unet", "config.json"), key: "cross_attention_dim",
        "found \(unetConfiguration.textWidth), expected the text encoder's width "
          + "\(configuration.width)")
    }
    defer { BufferPool.shared.trim() }
    return try CLIPTextEncoder(
      WeightScope(try folder.weights("text_encoder")), configuration: configuration)
  }

  /// The sizes of the text encoder.
  ///
  /// - Throws: `CheckpointError`.
  func textConfiguration() throws -> CLIPTextConfiguration {
    try CLIPTextConfiguration(
      try folder.configuration("text_encoder"), file: folder.file("text_encoder", "config.json"))
  }

  /// The scheduler of the settings, with all that the model's own configuration says.
  ///
  /// - Throws: `DiffusionError` where one of them is not supported, or the steps do not go with it;
  ///   ``GenerationError`` where it makes noise of pictures.
  public func scheduler(_ settings: SamplingSettings) throws -> any Scheduler {
    let configuration = try schedulerConfiguration()
    guard try (settings.scheduler ?? configuration.kind()).makesSamples else {
      let names = SchedulerConfiguration.Kind.samplers.map(\.rawValue).joined(separator: ", ")
      throw GenerationError(
        .usage,
        settings.scheduler == nil
          ? folder.file("scheduler", "scheduler_config.json") : "--scheduler",
        "ddim-inverse makes noise of pictures, as triptych invert does; choose another with --scheduler: \(names)"
      )
    }
    let scheduler = try configuration.scheduler(settings.scheduler)
    _ = try scheduler.start(stepCount: settings.steps, eta: Float(settings.eta))
    return scheduler
  }

  /// The scheduler the settings ask for, else the one the model's configuration names.
  ///
  /// - Throws: as ``scheduler(_:)``, so that nothing is loaded or made for a run that cannot be.
  public func schedulerKind(
    _ settings: SamplingSettings
  ) throws -> SchedulerConfiguration.Kind {
    _ = try scheduler(settings)
    return try settings.scheduler ?? schedulerConfiguration().kind()
  }

  /// What the denoiser was trained to predict.
  ///
  /// - Throws: `DiffusionError` where the configuration is broken.
  public func prediction() throws -> SchedulerConfiguration.Prediction {
    try schedulerConfiguration().prediction
  }

  /// The noise and spacing of the model's scheduler file.
  ///
  /// - Throws: `CheckpointError` or `DiffusionError` naming file and key.
  func schedulerConfiguration() throws -> SchedulerConfiguration {
    try SchedulerConfiguration(
      try folder.configuration("scheduler"),
      file: folder.file("scheduler", "scheduler_config.json"))
  }

  /// Loads the denoiser.
  ///
  /// - Throws: `CheckpointError`.
  public func unet() throws -> UNet {
    // What weights were widened into before they were packed is not needed again.
    defer { BufferPool.shared.trim() }
    return try UNet(WeightScope(try folder.weights("unet")), unetConfiguration)
  }

  /// Loads the autoencoder.
  ///
  /// - Parameter tiling: whether it works through large pictures piece by piece.
  /// - Returns: the autoencoder.
  /// - Throws: `CheckpointError`.
  public func autoencoder(tiling: AutoencoderTiling = .auto) throws -> Autoencoder {
    defer { BufferPool.shared.trim() }
    var autoencoder = try Autoencoder(
      WeightScope(try folder.weights("vae")), autoencoderConfiguration)
    autoencoder.tiling = tiling
    return autoencoder
  }
}
