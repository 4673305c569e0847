public import Imaging
import LatentDiffusion
public import TensorCore

/// A loaded model that turns planned samples into pictures.
///
/// A picture depends on the model, the settings and its sample alone, never on the batch it is made in.
public final class PictureMaker {
  /// A picture and how it came about.
  public struct Picture: Sendable {
    /// Its sample.
    public let sample: GenerationPlan.Sample
    /// How many attempts failed before.
    public let attempt: Int
    /// The seed of this attempt.
    public let seed: UInt64
    /// The pixels; of one grey where nothing came out.
    public let image: PixelImage
    /// The sampler's last latents [1, h, w, c]; nil where nothing came out.
    public let latents: Tensor?
    /// Why it is rejected; empty where it is accepted.
    public let reasons: [String]
  }

  /// How often a sample is tried again with another seed.
  public static let retryLimit = 3

  /// Unused memory that may stay between sampling and decoding.
  private static let keptBytes = 256 << 20

  private let plan: GenerationPlan
  private let settings: SamplingSettings
  private let conditioner: TextConditioner
  private let sampler: LatentSampler
  private let autoencoder: Autoencoder
  private let initialLatents: Tensor?
  private let latentShape: (height: Int, width: Int, channels: Int)

  /// Loads the model.
  ///
  /// - Parameters:
  ///   - model: the folder.
  ///   - plan: the samples.
  ///   - settings: how each is sampled; checked against the model.
  ///   - initialLatents: where to start instead of the seeds' noise, one row a sample.
  /// - Throws: `CheckpointError`, `DiffusionError` or ``GenerationError``.
  public init(
    model: StableDiffusionModel, plan: GenerationPlan, settings: SamplingSettings,
    initialLatents: Tensor? = nil
  ) throws {
    try settings.check(pixelsPerCell: model.pixelsPerCell)
    self.plan = plan
    self.settings = settings
    self.initialLatents = initialLatents
    conditioner = try TextConditioner(tokenizer: model.tokenizer(), encoder: model.textEncoder())
    sampler = LatentSampler(unet: try model.unet(), scheduler: try model.scheduler(settings))
    autoencoder = try model.autoencoder()
    latentShape = (
      settings.height / model.pixelsPerCell, settings.width / model.pixelsPerCell,
      model.autoencoderConfiguration.latentChannels
    )
  }

  /// Tokens of a prompt beyond what the model reads.
  public func surplusTokens(_ prompt: String) -> Int { conditioner.surplus(prompt) }

  /// Makes the pictures of some samples in one batch; failed ones are tried again, alone.
  ///
  /// - Parameters:
  ///   - indices: the samples.
  ///   - onStep: called after each step with the share done, 0...1; throwing ends the work.
  /// - Returns: the pictures in the order of `indices`.
  /// - Throws: what `onStep` throws, and `DiffusionError`.
  public func pictures(_ indices: [Int], onStep: (Double) throws -> Void) throws -> [Picture] {
    let samples = indices.map(plan.sample)
    guard let latents = try latents(samples, attempt: 0, onStep: onStep) else {
      return try samples.map { try picture($0, firstAttempt: nil, onStep: onStep) }
    }
    return try samples.enumerated().map { position, sample in
      try picture(sample, firstAttempt: latents.rows(position..<position + 1), onStep: onStep)
    }
  }

  private func picture(
    _ sample: GenerationPlan.Sample, firstAttempt: Tensor?, onStep: (Double) throws -> Void
  ) throws -> Picture {
    var reason = "not-finite"
    // Latents given by hand are the same at every attempt.
    let lastAttempt = initialLatents == nil ? Self.retryLimit : 0
    var last: (image: PixelImage, latents: Tensor)?
    for attempt in 0...lastAttempt {
      let latents =
        try attempt == 0 && firstAttempt != nil
        ? firstAttempt : self.latents([sample], attempt: attempt, onStep: onStep)
      guard let latents else { continue }
      // Decoding wants other sizes than sampling. Small models keep both.
      BufferPool.shared.trim(above: Self.keptBytes)
      let values = autoencoder.image(of: latents)  // [1, H, W, 3]
      BufferPool.shared.trim(above: Self.keptBytes)
      if let fault = PictureCheck.fault(in: values) {
        reason = fault
        continue
      }
      let image = try PixelImage(
        width: settings.width, height: settings.height, channels: .rgb,
        samples: Autoencoder.bytes(of: values))
      guard let fault = PictureCheck.fault(in: image) else {
        return Picture(
          sample: sample, attempt: attempt, seed: plan.sampleSeed(sample.index, attempt: attempt),
          image: image, latents: latents, reasons: [])
      }
      reason = fault
      last = (image, latents)
    }
    let grey = try PixelImage(
      width: settings.width, height: settings.height, filledWith: Colour(128, 128, 128))
    return Picture(
      sample: sample, attempt: lastAttempt,
      seed: plan.sampleSeed(sample.index, attempt: lastAttempt), image: last?.image ?? grey,
      latents: last?.latents, reasons: [reason])
  }

  /// The last latents of samples [n, h, w, c]; nil where a number left its range.
  private func latents(
    _ samples: [GenerationPlan.Sample], attempt: Int, onStep: (Double) throws -> Void
  ) throws -> Tensor? {
    let seeds = samples.map { plan.sampleSeed($0.index, attempt: attempt) }
    let noise =
      initialLatents.map { given in joinedRows(samples.map { given.rows($0.index..<$0.index + 1) })
      }
      ?? LatentNoise.initial(
        seeds: seeds, height: latentShape.height, width: latentShape.width,
        channels: latentShape.channels)
    let guidance = Guidance(
      scale: Float(settings.guidance), rescale: Float(settings.guidanceRescale))
    let request = LatentSampler.Request(
      noise: noise, text: conditioner(samples.map(\.prompt)),
      unconditionalText: guidance.isOn
        ? conditioner(samples.map { _ in settings.negativePrompt }) : nil,
      stepCount: settings.steps, guidance: guidance, eta: Float(settings.eta), seeds: seeds)
    do {
      return try sampler(
        request,
        onStep: { progress in
          try onStep(Double(progress.step + 1) / Double(progress.stepCount))
        })
    } catch let error as DiffusionError where error.code == .notFinite {
      return nil
    }
  }
}
