import Imaging
import LatentDiffusion
import MaskGrounding
import TensorCore

/// One pass of a U-Net over a picture, with sources listening.
final class Look {
  /// The reading of the source as it is.
  let reading: any MaskReading
  private let stepSources: [any MaskSource]
  private let onStepRead: (_ step: Int, any MaskReading) throws -> Void
  private let model: LoadedModel
  private let sampling: SamplingSettings
  private let prompt: String
  private let timesteps: [Int]
  private let guidance: Guidance
  private let hasUnconditional: Bool
  private let batch: ReadingBatch
  private var stepReading: (any MaskReading)?

  /// Prepares a pass.
  ///
  /// - Parameters:
  ///   - model: the model.
  ///   - sampling: how the picture is made or inverted.
  ///   - source: what reads all of it.
  ///   - stepSources: for each step a source that reads that one alone; empty where that is not wanted.
  ///   - prompt: what the picture shows.
  ///   - timesteps: of every step.
  ///   - onStepRead: called behind each step with the reading of its own source, which is then let go.
  init(
    model: LoadedModel, sampling: SamplingSettings, source: any MaskSource,
    stepSources: [any MaskSource], prompt: String, timesteps: [Int],
    onStepRead: @escaping (_ step: Int, any MaskReading) throws -> Void
  ) {
    self.model = model
    self.sampling = sampling
    self.stepSources = stepSources
    self.onStepRead = onStepRead
    self.prompt = prompt
    self.timesteps = timesteps
    guidance = Guidance(
      scale: Float(sampling.guidance), rescale: Float(sampling.guidanceRescale))
    hasUnconditional = guidance.isOn || source.needsUnconditional
    batch = ReadingBatch(
      sampleCount: 1, stepCount: timesteps.count, hasUnconditional: hasUnconditional)
    reading = source.reading(of: batch)
  }

  private func taps(_ step: Int, _ timestep: Int) -> UNetTaps? {
    guard !stepSources.isEmpty else { return reading.taps(step: step, timestep: timestep) }
    let own = stepSources[step].reading(of: batch)
    stepReading = own
    return ReadingGroup([reading, own]).taps(step: step, timestep: timestep)
  }

  private func finish(_ step: Int) throws {
    guard let own = stepReading else { return }
    stepReading = nil
    try onStepRead(step, own)
  }

  private var text: Tensor { model.conditioner([prompt]) }
  private var unconditionalText: Tensor? {
    hasUnconditional ? model.conditioner([sampling.negativePrompt]) : nil
  }

  /// Makes the picture, and looks on the way.
  func make(seed: UInt64, onStep: (Double) throws -> Void) throws -> PixelImage {
    let cell = model.model.pixelsPerCell
    let seeds = [SampleSeed.derive(run: seed, index: 0, attempt: 0)]
    let request = LatentSampler.Request(
      noise: LatentNoise.initial(
        seeds: seeds, height: sampling.height / cell, width: sampling.width / cell,
        channels: model.unet.configuration.inputs),
      text: text, unconditionalText: guidance.isOn ? unconditionalText : nil,
      stepCount: sampling.steps, guidance: guidance, eta: Float(sampling.eta), seeds: seeds)
    // Where the sampler runs without the rows that the source wants, the U-Net is shown the way once more.
    let looksAfterwards = hasUnconditional && !guidance.isOn
    var trajectory = Trajectory()
    let sampler = LatentSampler(
      unet: model.unet, scheduler: try model.model.scheduler(sampling))
    let latents = try sampler(
      request,
      onStep: { progress in
        if looksAfterwards {
          trajectory.points.append(
            .init(step: progress.step, timestep: progress.timestep, latents: progress.modelInput))
        } else {
          try finish(progress.step)
        }
        try onStep(Double(progress.step + 1) / Double(progress.stepCount))
      }, taps: { looksAfterwards ? nil : self.taps($0, $1) })
    if looksAfterwards { try show(trajectory) }
    BufferPool.shared.trim()
    let values = model.autoencoder.image(of: latents)
    guard values.isFinite else {
      throw DiffusionError(
        .notFinite, "autoencoder", "the picture is not finite; the model or its settings are broken"
      )
    }
    return try PixelImage(
      width: sampling.width, height: sampling.height, channels: .rgb,
      samples: Autoencoder.bytes(of: values))
  }

  /// Inverts a picture, and looks at its latents of every step that is wanted.
  func invert(
    _ image: PixelImage, _ settings: PictureInverter.Settings, onStep: (Double) throws -> Void
  ) throws -> PixelImage {
    let inverter = try PictureInverter(model, sampling: sampling, settings: settings)
    let fitted = try inverter.fitted(image)
    let way = try inverter(fitted, prompt: prompt, keeping: { _, _ in true }, onStep: onStep)
    try show(
      Trajectory(
        points: timesteps.enumerated().compactMap { step, timestep in
          way.latents[step].map { .init(step: step, timestep: timestep, latents: $0) }
        }))
    return fitted
  }

  private func show(_ trajectory: Trajectory) throws {
    for point in trajectory.points {
      Trajectory(points: [point]).show(
        to: TapsOnly(taps: taps), unet: model.unet, text: text,
        unconditionalText: unconditionalText)
      try finish(point.step)
    }
  }
}

/// Taps in the shape of a reading.
private final class TapsOnly: MaskReading {
  private let ask: (Int, Int) -> UNetTaps?

  init(taps: @escaping (Int, Int) -> UNetTaps?) { ask = taps }

  func taps(step: Int, timestep: Int) -> UNetTaps? { ask(step, timestep) }

  func maps(sample: Int, queries: [EntityQuery]) throws -> EntityMaps {
    preconditionFailure("taps have no maps")
  }
}
