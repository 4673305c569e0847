public import Imaging
public import LatentDiffusion
public import TensorCore

/// From a picture to the latents that a model would have made it from.
public struct PictureInverter {
  /// How a picture is inverted, beside what a sampling run has too.
  public struct Settings: Sendable, Equatable {
    /// How noise is found.
    public var method: LatentInverter.Method
    /// The seed of noise that is drawn.
    public var seed: UInt64
    /// How a picture of other proportions fills the model's size.
    public var fit: ImageFit

    /// Describes an inversion.
    public init(
      method: LatentInverter.Method = .ddim, seed: UInt64 = 0, fit: ImageFit = .crop
    ) {
      self.method = method
      self.seed = seed
      self.fit = fit
    }
  }

  private let model: LoadedModel
  private let inverter: LatentInverter
  private let sampling: SamplingSettings
  private let settings: Settings

  /// An inverter for a model; of `sampling` it heeds steps, guidance, negative prompt and size.
  ///
  /// - Throws: ``GenerationError`` where the settings do not suit the model, `DiffusionError` where its scheduler
  ///   file cannot be used.
  public init(
    _ model: LoadedModel, sampling: SamplingSettings, settings: Settings = Settings()
  ) throws {
    try sampling.check(pixelsPerCell: model.model.pixelsPerCell)
    self.model = model
    self.sampling = sampling
    self.settings = settings
    inverter = try LatentInverter(
      unet: model.unet, configuration: try model.model.schedulerConfiguration())
  }

  /// The picture as the model gets it: in the size of the settings.
  ///
  /// - Throws: `ImagingError` where that size is out of a picture's range.
  public func fitted(_ image: PixelImage) throws -> PixelImage {
    try image.rgb.fitted(width: sampling.width, height: sampling.height, fit: settings.fit)
  }

  /// The clean latents of a picture, times the autoencoder's scale [1, h, w, c]: the mean of their distribution.
  ///
  /// - Precondition: the picture has the size of the settings.
  public func latents(of image: PixelImage) -> Tensor {
    precondition(
      image.width == sampling.width && image.height == sampling.height && image.channels == .rgb,
      "a picture of \(image.width) x \(image.height), not \(sampling.width) x \(sampling.height)")
    defer { BufferPool.shared.trim() }
    return model.latents(of: [image])
  }

  /// Inverts a picture.
  ///
  /// - Parameters:
  ///   - image: in the size of the settings, see ``fitted(_:)``.
  ///   - prompt: what it shows.
  ///   - keeping: the steps of a sampling run, from 0, the noisiest, whose latents are wanted.
  ///   - onStep: called after each step with the share done, 0...1; throwing ends the work.
  /// - Returns: the latents on the way.
  /// - Throws: `DiffusionError` where numbers leave their range, and what `onStep` throws.
  public func callAsFunction(
    _ image: PixelImage, prompt: String, keeping: (_ step: Int, _ timestep: Int) -> Bool,
    onStep: (Double) throws -> Void
  ) throws -> LatentInverter.Trajectory {
    // The noise that the first sample of a run with this seed starts from.
    let seed = SampleSeed.derive(run: settings.seed, index: 0, attempt: 0)
    return try self([image], prompts: [prompt], seeds: [seed], keeping: keeping, onStep: onStep)
  }

  /// Inverts several pictures together; what comes out for one does not depend on the others.
  ///
  /// - Parameters:
  ///   - images: in the size of the settings.
  ///   - prompts: what each shows.
  ///   - seeds: of the noise that is drawn, one a picture; the settings' seed is not used.
  ///   - keeping: the steps of a sampling run, from 0, the noisiest, whose latents are wanted.
  ///   - onStep: called after each step with the share done, 0...1; throwing ends the work.
  /// - Returns: the latents on the way.
  /// - Throws: `DiffusionError` where numbers leave their range, and what `onStep` throws.
  /// - Precondition: there are pictures, and as many prompts and seeds.
  public func callAsFunction(
    _ images: [PixelImage], prompts: [String], seeds: [UInt64],
    keeping: (_ step: Int, _ timestep: Int) -> Bool, onStep: (Double) throws -> Void
  ) throws -> LatentInverter.Trajectory {
    precondition(
      !images.isEmpty && prompts.count == images.count && seeds.count == images.count,
      "\(images.count) pictures, \(prompts.count) prompts, \(seeds.count) seeds")
    // Encoded one by one: the encoder takes more memory than all else.
    let clean = joinedRows(images.map(latents))
    guard clean.isFinite else {
      throw DiffusionError(
        .notFinite, "autoencoder", "the picture's latents are not finite; the model is broken")
    }
    switch settings.method {
    case .noise:
      return try inverter.noised(
        clean, seeds: seeds, stepCount: sampling.steps, keeping: keeping)
    case .ddim:
      let guidance = Guidance(
        scale: Float(sampling.guidance), rescale: Float(sampling.guidanceRescale))
      let negatives = Array(repeating: sampling.negativePrompt, count: images.count)
      let request = LatentSampler.Request(
        noise: clean, text: model.conditioner(prompts),
        unconditionalText: guidance.isOn ? model.conditioner(negatives) : nil,
        stepCount: sampling.steps, guidance: guidance)
      return try inverter.inverted(request, keeping: keeping) { progress in
        try onStep(Double(progress.step + 1) / Double(progress.stepCount))
      }
    }
  }
}
