public import DatasetFormat
public import Imaging
public import LatentDiffusion
import MaskGrounding
public import TensorCore

/// A loaded model that turns planned samples into pictures with masks.
///
/// What it makes of a sample depends on the model, the settings and the attempt alone, never on the batch.
public final class SampleMaker {
  /// What came of an attempt at a sample.
  public struct Made: Sendable {
    /// The sample.
    public let sample: GenerationPlan.Sample
    /// How many attempts were made before.
    public let attempt: Int
    /// The seed of this attempt.
    public let seed: UInt64
    /// The pixels; of one grey where nothing came out.
    public let image: PixelImage
    /// The sampler's last latents [1, h, w, c]; nil where nothing came out.
    public let latents: Tensor?
    /// What was measured of the picture.
    public let scores: SampleRecord.Scores
    /// Its masks; nil where none were asked for.
    public let labels: Labels?
  }

  /// Unused memory that may stay between sampling and decoding.
  static let keptBytes = 256 << 20

  private let plan: GenerationPlan
  private let settings: SamplingSettings
  private let guidance: Guidance
  private let conditioner: TextConditioner
  private let sampler: LatentSampler
  private let autoencoder: Autoencoder
  private let labeller: Labeller?
  private let initialLatents: Tensor?
  private let latentShape: (height: Int, width: Int, channels: Int)

  /// Loads the model.
  ///
  /// - Parameters:
  ///   - model: the folder.
  ///   - plan: the samples.
  ///   - settings: how each is sampled; checked against the model.
  ///   - masks: how masks are read; nil for pictures alone.
  ///   - initialLatents: where to start instead of the seeds' noise, one row a sample.
  ///   - tiling: whether large pictures are decoded piece by piece; changes no byte.
  /// - Throws: `CheckpointError`, `DiffusionError` or ``GenerationError``.
  public init(
    model: StableDiffusionModel, plan: GenerationPlan, settings: SamplingSettings,
    masks: MaskSettings? = nil, initialLatents: Tensor? = nil, tiling: AutoencoderTiling = .auto
  ) throws {
    try settings.check(pixelsPerCell: model.pixelsPerCell)
    self.plan = plan
    self.settings = settings
    self.initialLatents = initialLatents
    guidance = Guidance(scale: Float(settings.guidance), rescale: Float(settings.guidanceRescale))
    let (tokenizer, encoder) = (try model.tokenizer(), try model.textEncoder())
    conditioner = try TextConditioner(tokenizer: tokenizer, encoder: encoder)
    let unet = try model.unet()
    sampler = LatentSampler(unet: unet, scheduler: try model.scheduler(settings))
    labeller = try masks.map {
      try Labeller(
        $0, plan: plan,
        loader: MaskSourceLoader(
          unet: unet, prediction: model.prediction(), width: settings.width,
          height: settings.height), tokenizer: tokenizer, encoder: encoder, sampling: settings)
    }
    autoencoder = try model.autoencoder(tiling: tiling)
    latentShape = (
      settings.height / model.pixelsPerCell, settings.width / model.pixelsPerCell,
      model.autoencoderConfiguration.latentChannels
    )
  }

  /// Tokens of a prompt beyond what the model reads.
  public func surplusTokens(_ prompt: String) -> Int { conditioner.surplus(prompt) }

  /// Whether another attempt can come out differently: latents given by hand are the same at every attempt.
  public var canRetry: Bool { initialLatents == nil }

  /// Makes some samples in one batch.
  ///
  /// - Parameters:
  ///   - indices: the samples.
  ///   - attempt: how many attempts were made before.
  ///   - onStep: called after each step with the share done, 0...1; throwing ends the work.
  /// - Returns: what came out, in the order of `indices`.
  /// - Throws: what `onStep` throws, and `DiffusionError`.
  public func make(
    _ indices: [Int], attempt: Int = 0, onStep: (Double) throws -> Void
  ) throws -> [Made] {
    let samples = indices.map(plan.sample)
    guard let batch = try sampled(samples, attempt: attempt, onStep: onStep) else {
      // One broken sample must not take its neighbours with it.
      guard samples.count > 1 else { return [try useless(samples[0], attempt)] }
      return try indices.flatMap { try make([$0], attempt: attempt, onStep: onStep) }
    }
    return try samples.indices.map { try finished(batch, position: $0) }
  }

  /// A batch behind its last step.
  private struct Batch {
    var samples: [GenerationPlan.Sample]
    var attempt: Int
    var latents: Tensor
    var labelling: LabellingBatch?
  }

  private func sampled(
    _ samples: [GenerationPlan.Sample], attempt: Int, onStep: (Double) throws -> Void
  ) throws -> Batch? {
    let request = request(samples, attempt: attempt)
    let labelling = try labeller?.begin(
      samples, callCount: try sampler.callCount(request), text: request.text,
      unconditionalText: request.unconditionalText ?? conditioner(negatives(samples.count)))
    do {
      let latents = try sampler(
        request,
        onStep: { progress in
          labelling?.note(progress)
          try onStep(Double(progress.step + 1) / Double(progress.stepCount))
        }, taps: { labelling?.taps(step: $0, timestep: $1) })
      return Batch(samples: samples, attempt: attempt, latents: latents, labelling: labelling)
    } catch let error as DiffusionError where error.code == .notFinite {
      return nil
    }
  }

  private func request(
    _ samples: [GenerationPlan.Sample], attempt: Int
  ) -> LatentSampler.Request {
    let seeds = samples.map { seed($0, attempt) }
    let given = initialLatents.map { given in
      joinedRows(samples.map { given.rows($0.index..<$0.index + 1) })
    }
    let noise =
      given
      ?? LatentNoise.initial(
        seeds: seeds, height: latentShape.height, width: latentShape.width,
        channels: latentShape.channels)
    return LatentSampler.Request(
      noise: noise, text: conditioner(samples.map(\.prompt)),
      unconditionalText: guidance.isOn ? conditioner(negatives(samples.count)) : nil,
      stepCount: settings.steps, guidance: guidance, eta: Float(settings.eta), seeds: seeds)
  }

  private func negatives(_ count: Int) -> [String] {
    Array(repeating: settings.negativePrompt, count: count)
  }

  private func seed(_ sample: GenerationPlan.Sample, _ attempt: Int) -> UInt64 {
    plan.sampleSeed(sample.index, attempt: attempt)
  }

  private func finished(_ batch: Batch, position: Int) throws -> Made {
    let (sample, attempt) = (batch.samples[position], batch.attempt)
    let latents = batch.latents.rows(position..<position + 1)
    // Decoding wants other sizes than sampling. Small models keep both.
    BufferPool.shared.trim(above: Self.keptBytes)
    let values = autoencoder.image(of: latents)  // [1, H, W, 3]
    BufferPool.shared.trim(above: Self.keptBytes)
    guard values.isFinite else { return try useless(sample, attempt) }
    let image = try PixelImage(
      width: settings.width, height: settings.height, channels: .rgb,
      samples: Autoencoder.bytes(of: values))
    return Made(
      sample: sample, attempt: attempt, seed: seed(sample, attempt), image: image,
      latents: latents, scores: .init(of: image),
      labels: try batch.labelling?.labels(position))
  }

  /// What stands for a sample whose numbers are not finite.

  private func useless(_ sample: GenerationPlan.Sample, _ attempt: Int) throws -> Made {
    let grey = try PixelImage(
      width: settings.width, height: settings.height, filledWith: Colour(128, 128, 128))
    return Made(
      sample: sample, attempt: attempt, seed: seed(sample, attempt), image: grey, latents: nil,
      scores: .init(of: grey, isFinite: false), labels: try labeller?.emptyLabels(sample))
  }
}
