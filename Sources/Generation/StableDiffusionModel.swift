import Checkpoints
public import LatentDiffusion
import TensorCore
public import TextConditioning

/// A Stable Diffusion model, from a folder or a single file, its parts loaded one by one.
public struct StableDiffusionModel: Sendable {
  /// The folder or file the parts come from.
  public let parts: any ModelParts
  /// The shape of the denoiser.
  public let unetConfiguration: UNetConfiguration
  /// The shape of the autoencoder.
  public let autoencoderConfiguration: AutoencoderConfiguration
  /// What changes the parts when they are loaded (see ``adapted(by:)``).
  var fitted = FittedAdapters()

  /// Reads and checks the configurations; no weight is read yet.
  ///
  /// - Parameters:
  ///   - path: a folder in the diffusers layout, or a single file.
  ///   - options: what a single file does not say of itself.
  /// - Throws: `CheckpointError`, `DiffusionError` or ``GenerationError`` naming file and key.
  public init(path: String, options: SingleFileOptions = SingleFileOptions()) throws {
    parts = try ModelFile.open(path, options: options)
    unetConfiguration = try UNetConfiguration(
      try parts.configuration(of: "unet"), file: parts.configurationFile(of: "unet"))
    autoencoderConfiguration = try AutoencoderConfiguration(
      try parts.configuration(of: "vae"), file: parts.configurationFile(of: "vae"))
    guard unetConfiguration.inputs == autoencoderConfiguration.latentChannels,
      unetConfiguration.outputs == unetConfiguration.inputs
    else {
      throw CheckpointError(
        .unsupported, file: parts.configurationFile(of: "unet"), key: "in_channels",
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
  /// - Throws: `CheckpointError` or ``GenerationError``.
  public func tokenizer() throws -> CLIPTokenizer { try fitted.extended(try plainTokenizer()) }

  /// The tokenizer without the words of embeddings.
  func plainTokenizer() throws -> CLIPTokenizer { try parts.loadTokenizer() }

  /// Loads the text encoder and checks that it fits the denoiser.
  ///
  /// - Throws: `CheckpointError`.
  public func textEncoder() throws -> CLIPTextEncoder {
    let configuration = try textConfiguration()
    guard configuration.width == unetConfiguration.textWidth else {
      throw CheckpointError(
        .wrongShape, file: parts.configurationFile(of: "unet"), key: "cross_attention_dim",
        "found \(unetConfiguration.textWidth), expected the text encoder's width "
          + "\(configuration.width)")
    }
    defer { BufferPool.shared.trim() }
    let encoder = try CLIPTextEncoder(
      WeightScope(fitted.merged(.textEncoder, try parts.weights("text_encoder"))),
      configuration: configuration)
    return try fitted.extended(encoder, of: try plainTokenizer())
  }

  /// The sizes of the text encoder.
  ///
  /// - Throws: `CheckpointError`.
  func textConfiguration() throws -> CLIPTextConfiguration {
    try CLIPTextConfiguration(
      try parts.configuration(of: "text_encoder"), file: parts.configurationFile(of: "text_encoder")
    )
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
          ? parts.configurationFile(of: "scheduler") : "--scheduler",
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

  /// The noise and spacing of the model's scheduler.
  ///
  /// - Throws: `CheckpointError` or `DiffusionError` naming file and key.
  package func schedulerConfiguration() throws -> SchedulerConfiguration {
    try SchedulerConfiguration(
      try parts.configuration(of: "scheduler"), file: parts.configurationFile(of: "scheduler"))
  }

  /// Loads the denoiser.
  ///
  /// - Throws: `CheckpointError`.
  public func unet() throws -> UNet {
    // What weights were widened into before they were packed is not needed again.
    defer { BufferPool.shared.trim() }
    return try UNet(
      WeightScope(fitted.merged(.unet, try parts.weights("unet"))), unetConfiguration)
  }

  /// Loads the autoencoder.
  ///
  /// - Parameter tiling: whether it works through large pictures piece by piece.
  /// - Returns: the autoencoder.
  /// - Throws: `CheckpointError`.
  public func autoencoder(tiling: AutoencoderTiling = .auto) throws -> Autoencoder {
    defer { BufferPool.shared.trim() }
    var autoencoder = try Autoencoder(
      WeightScope(try parts.weights("vae")), autoencoderConfiguration)
    autoencoder.tiling = tiling
    return autoencoder
  }
}
