public import DatasetFormat
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
    /// What was measured of it.
    public let scores: SampleRecord.Scores
    /// The attempts before.
    public let rejected: [SampleRecord.RejectedAttempt]
  }

  /// Unused memory that may stay between sampling and decoding.
  private static let keptBytes = 256 << 20

  private let plan: GenerationPlan
  private let settings: SamplingSettings
  private let rules: FilterRules
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
  ///   - rules: which pictures are accepted, and how often a rejected one is made again.
  ///   - initialLatents: where to start instead of the seeds' noise, one row a sample.
  /// - Throws: `CheckpointError`, `DiffusionError` or ``GenerationError``.
  public init(
    model: StableDiffusionModel, plan: GenerationPlan, settings: SamplingSettings,
    rules: FilterRules = .usual(hasMasks: false), initialLatents: Tensor? = nil
  ) throws {
    try settings.check(pixelsPerCell: model.pixelsPerCell)
    self.plan = plan
    self.settings = settings
    self.rules = rules
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
    // Latents given by hand are the same at every attempt.
    let attempts = initialLatents == nil ? rules.attempts : 1
    var rejected: [SampleRecord.RejectedAttempt] = []
    while true {
      let attempt = rejected.count
      let seed = plan.sampleSeed(sample.index, attempt: attempt)
      let latents =
        try attempt == 0 && firstAttempt != nil
        ? firstAttempt : self.latents([sample], attempt: attempt, onStep: onStep)
      let image = try latents.flatMap(decoded)
      let picture = try image ?? greyPicture()
      let scores = SampleRecord.Scores(of: picture, isFinite: image != nil)
      let reasons = rules.reasons(
        scores: scores, entities: [], acceptedHashes: EmptyCollection<PictureHash>())
      if reasons.isEmpty || attempt == attempts - 1 {
        return Picture(
          sample: sample, attempt: attempt, seed: seed, image: picture,
          latents: image == nil ? nil : latents, reasons: reasons, scores: scores,
          rejected: rejected)
      }
      rejected.append(
        .init(attempt: attempt, seed: seed, reasons: reasons, entities: [], scores: scores))
    }
  }

  /// What stands for a picture of numbers that are not finite.
  private func greyPicture() throws -> PixelImage {
    try PixelImage(
      width: settings.width, height: settings.height, filledWith: Colour(128, 128, 128))
  }

  /// The picture of latents [1, h, w, c]; nil where a number is not finite.
  private func decoded(_ latents: Tensor) throws -> PixelImage? {
    // Decoding wants other sizes than sampling. Small models keep both.
    BufferPool.shared.trim(above: Self.keptBytes)
    let values = autoencoder.image(of: latents)  // [1, H, W, 3]
    BufferPool.shared.trim(above: Self.keptBytes)
    guard values.isFinite else { return nil }
    return try PixelImage(
      width: settings.width, height: settings.height, channels: .rgb,
      samples: Autoencoder.bytes(of: values))
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
