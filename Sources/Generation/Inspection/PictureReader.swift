public import Imaging
public import LatentDiffusion
public import MaskGrounding
public import TensorCore

/// Shows a U-Net the ways to batches of pictures, so that sources of masks can read where entities are in them.
///
/// What is said of a picture does not depend on the batch, nor on what else reads it.
public final class PictureReader {
  /// What a source read of a batch.
  public struct Reading {
    private let source: LoadedMaskSource
    private let reading: any MaskReading
    private let prompts: [String]

    fileprivate init(
      _ source: LoadedMaskSource, _ reading: any MaskReading, prompts: [String]
    ) {
      (self.source, self.reading, self.prompts) = (source, reading, prompts)
    }

    /// Where entities are in a picture, and whether.
    ///
    /// - Parameters:
    ///   - entities: those that compete for its pixels; ``Entity/mention`` is a place in the prompt it was read with.
    ///   - sample: the picture, from 0.
    /// - Returns: the mask and what is known of each entity.
    /// - Throws: `EntityError` where words have no token or no room in a query.
    public func mask(of entities: [Entity], sample: Int) throws -> ComposedMask {
      let queries = try source.queries(for: entities, prompt: prompts[sample])
      return try source.compose(
        try reading.maps(sample: sample, queries: queries), entities)
    }
  }

  private let model: LoadedModel
  private let sampling: SamplingSettings

  /// A reader of pictures in the size of the settings.
  ///
  /// - Throws: ``GenerationError`` where the settings do not suit the model.
  public init(_ model: LoadedModel, sampling: SamplingSettings) throws {
    try sampling.check(pixelsPerCell: model.model.pixelsPerCell)
    self.model = model
    self.sampling = sampling
  }

  /// Pixels of a side that become one latent cell: one place of a grounding module's logits.
  public var pixelsPerCell: Int { model.model.pixelsPerCell }

  /// The way that would have led to pictures which are there.
  ///
  /// - Parameters:
  ///   - images: of the settings' size.
  ///   - prompts: what each shows.
  ///   - seeds: of the noise that is drawn, one a picture.
  ///   - method: how noise is found.
  ///   - onStep: called after each step with the share done, 0...1; throwing ends the work.
  /// - Returns: the latents at every step of a sampling run.
  /// - Throws: `DiffusionError` where numbers leave their range, and what `onStep` throws.
  public func inverted(
    _ images: [PixelImage], prompts: [String], seeds: [UInt64], method: LatentInverter.Method,
    onStep: (Double) throws -> Void
  ) throws -> Trajectory {
    let inverter = try PictureInverter(
      model, sampling: sampling, settings: .init(method: method))
    let way = try inverter(
      images, prompts: prompts, seeds: seeds, keeping: { _, _ in true }, onStep: onStep)
    return Trajectory(
      points: way.timesteps.enumerated().compactMap { step, timestep in
        way.latents[step].map { .init(step: step, timestep: timestep, latents: $0) }
      })
  }

  /// Samples, and keeps the way.
  ///
  /// - Parameters:
  ///   - prompts: what to show.
  ///   - seeds: one a picture, as a run's records have them.
  ///   - onStep: called after each step with the share done, 0...1; throwing ends the work.
  /// - Returns: the latents that the U-Net was shown at every call, and the last ones [n, h, w, c].
  /// - Throws: `DiffusionError` where numbers leave their range, and what `onStep` throws.
  public func made(
    prompts: [String], seeds: [UInt64], onStep: (Double) throws -> Void
  ) throws -> (way: Trajectory, latents: Tensor) {
    let guidance = Guidance(
      scale: Float(sampling.guidance), rescale: Float(sampling.guidanceRescale))
    let cell = pixelsPerCell
    let request = LatentSampler.Request(
      noise: LatentNoise.initial(
        seeds: seeds, height: sampling.height / cell, width: sampling.width / cell,
        channels: model.unet.configuration.inputs),
      text: model.conditioner(prompts),
      unconditionalText: guidance.isOn ? negatives(prompts.count) : nil,
      stepCount: sampling.steps, guidance: guidance, eta: Float(sampling.eta), seeds: seeds)
    let sampler = LatentSampler(
      unet: model.unet, scheduler: try model.model.scheduler(sampling))
    var way = Trajectory()
    let latents = try sampler(
      request,
      onStep: { progress in
        way.points.append(
          .init(
            step: progress.step, timestep: progress.timestep,
            modelTimestep: progress.modelTimestep, latents: progress.modelInput))
        try onStep(Double(progress.step + 1) / Double(progress.stepCount))
      }, taps: { _, _ in nil })
    return (way, latents)
  }

  /// The pictures of latents [n, h, w, c].
  ///
  /// - Throws: `DiffusionError` where one is not finite.
  public func pictures(of latents: Tensor) throws -> [PixelImage] {
    try (0..<latents.shape[0]).map { row in
      BufferPool.shared.trim(above: SampleMaker.keptBytes)
      let values = model.autoencoder.image(of: latents.rows(row..<row + 1))
      guard values.isFinite else {
        throw DiffusionError(
          .notFinite, "autoencoder",
          "the picture is not finite; the model or its settings are broken")
      }
      return try PixelImage(
        width: sampling.width, height: sampling.height, channels: .rgb,
        samples: Autoencoder.bytes(of: values))
    }
  }

  /// Shows a way once more, and lets a source listen.
  ///
  /// - Parameters:
  ///   - way: of a batch.
  ///   - prompts: what the U-Net is told of each picture; need not be what it was made or inverted with.
  ///   - source: what listens.
  /// - Returns: what it read.
  public func reading(
    _ way: Trajectory, prompts: [String], by source: LoadedMaskSource
  ) -> Reading {
    let isGuided = Guidance(scale: Float(sampling.guidance)).isOn
    let hasUnconditional = isGuided || source.source.needsUnconditional
    let batch = ReadingBatch(
      sampleCount: prompts.count, stepCount: way.points.count, hasUnconditional: hasUnconditional)
    let reading = source.source.reading(of: batch)
    way.show(
      to: reading, unet: model.unet, text: model.conditioner(prompts),
      unconditionalText: hasUnconditional ? negatives(prompts.count) : nil)
    return Reading(source, reading, prompts: prompts)
  }

  private func negatives(_ count: Int) -> Tensor {
    model.conditioner(Array(repeating: sampling.negativePrompt, count: count))
  }
}
