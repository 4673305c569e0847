public import TensorCore

/// From noise to latents: the loop over a scheduler's steps with a guided U-Net.
public struct LatentSampler: Sendable {
  /// What a run starts from and how it goes.
  public struct Request: Sendable {
    /// Noise of variance 1 [N, H, W, C].
    public var noise: Tensor
    /// The encoded prompts [N, T, D].
    public var text: Tensor
    /// The encoded empty or negative prompts [N, T, D]; needed where guidance is on.
    public var unconditionalText: Tensor?
    /// Number of steps; see ``LatentSampler/callCount(_:)``.
    public var stepCount: Int
    /// Strength of the text.
    public var guidance: Guidance
    /// How stochastic the run is, 0...1; only DDIM takes another than 0.
    public var eta: Float
    /// One a sample, for the noise of stochastic runs.
    public var seeds: [UInt64]

    /// Describes a run.
    public init(
      noise: Tensor, text: Tensor, unconditionalText: Tensor? = nil, stepCount: Int,
      guidance: Guidance, eta: Float = 0, seeds: [UInt64] = []
    ) {
      self.noise = noise
      self.text = text
      self.unconditionalText = unconditionalText
      self.stepCount = stepCount
      self.guidance = guidance
      self.eta = eta
      self.seeds = seeds
    }
  }

  /// Where a run stands after a step.
  public struct Progress: Sendable {
    /// The U-Net call done, from 0.
    public let step: Int
    /// The number of U-Net calls.
    public let stepCount: Int
    /// The call's training timestep, rounded where it lies between two.
    public let timestep: Int
    /// The same as the U-Net was told it.
    public let modelTimestep: Float
    /// What the U-Net was shown at the step [N, H, W, C], once for each sample.
    public let modelInput: Tensor
    /// The latents after the step [N, H, W, C].
    public let latents: Tensor
  }

  private let unet: UNet
  private let scheduler: any Scheduler

  /// A sampler of a model.
  public init(unet: UNet, scheduler: any Scheduler) {
    self.unet = unet
    self.scheduler = scheduler
  }

  /// How often a run calls the U-Net: once a step, with some schedulers more often.
  ///
  /// - Throws: ``DiffusionError`` where the settings do not go with the scheduler.
  public func callCount(_ request: Request) throws -> Int {
    try scheduler.start(stepCount: request.stepCount, eta: request.eta).timesteps.count
  }

  /// Runs all steps.
  ///
  /// With guidance both predictions come from one call of the U-Net, on a batch of all samples without the
  /// text followed by all samples with it; taps see that batch.
  ///
  /// - Parameters:
  ///   - request: what to start from.
  ///   - onStep: called after each step; throwing ends the run.
  ///   - taps: asked before each step, with the step (from 0) and its timestep, for what is to be handed out.
  /// - Returns: the latents [N, H, W, C].
  /// - Throws: ``DiffusionError`` where the settings do not go together or numbers leave their range, and what
  ///   `onStep` throws.
  public func callAsFunction(
    _ request: Request, onStep: (Progress) throws -> Void = { _ in },
    taps: ((_ step: Int, _ timestep: Int) -> UNetTaps?)? = nil
  ) throws -> Tensor {
    try check(request)
    var run = try scheduler.start(stepCount: request.stepCount, eta: request.eta)
    if run.needsNoise, request.seeds.count != request.noise.shape[0] {
      throw DiffusionError(
        .invalidSetting, "seeds",
        "found \(request.seeds.count) for \(request.noise.shape[0]) samples; the scheduler draws noise at every step"
      )
    }
    let guidance = request.guidance
    let unconditional = guidance.isOn ? request.unconditionalText : nil
    let text = unet.project(
      text: unconditional.map { joinedRows([$0, request.text]) } ?? request.text)
    let n = request.noise.shape[0]
    var latents = run.initialScale == 1 ? request.noise : run.initialScale * request.noise
    for (step, (timestep, modelTimestep)) in zip(run.timesteps, run.modelTimesteps).enumerated() {
      let input = run.modelInput(latents, step: step)
      let output = unet(
        unconditional == nil ? input : joinedRows([input, input]), timesteps: [modelTimestep],
        projectedText: text, taps: taps?(step, timestep))
      let prediction =
        unconditional == nil
        ? output
        : guidance.combine(
          unconditional: output.rows(0..<n), conditional: output.rows(n..<2 * n))
      let noise =
        run.needsNoise
        ? LatentNoise.step(step, seeds: request.seeds, shape: Array(latents.shape.dropFirst()))
        : nil
      latents = run.step(step, prediction: prediction, sample: latents, noise: noise)
      guard latents.isFinite else {
        throw DiffusionError(
          .notFinite, "step \(step + 1) of \(run.timesteps.count)",
          "the latents at timestep \(timestep) are not finite; the model or its settings are broken"
        )
      }
      try onStep(
        Progress(
          step: step, stepCount: run.timesteps.count, timestep: timestep,
          modelTimestep: modelTimestep, modelInput: input,
          latents: latents))
    }
    return latents
  }

  private func check(_ request: Request) throws {
    let (noise, text) = (request.noise.shape, request.text.shape)
    let (channels, width) = (unet.configuration.inputs, unet.configuration.textWidth)
    guard noise.count == 4, noise[3] == channels, !noise.contains(0) else {
      throw DiffusionError(
        .invalidSetting, "latents", "found shape \(noise), expected [N, H, W, \(channels)]")
    }
    guard unet.configuration.outputs == channels else {
      throw DiffusionError(
        .invalidSetting, "U-Net",
        "predicts \(unet.configuration.outputs) channels of \(channels); it cannot be sampled from")
    }
    guard text.count == 3, text[0] == noise[0], text[2] == width, text[1] > 0 else {
      throw DiffusionError(
        .invalidSetting, "text", "found shape \(text), expected [\(noise[0]), T, \(width)]")
    }
    guard request.guidance.scale.isFinite, (0...1).contains(request.guidance.rescale) else {
      throw DiffusionError(
        .invalidSetting, "guidance",
        "found scale \(request.guidance.scale) and rescale \(request.guidance.rescale), "
          + "expected a number and 0...1")
    }
    if request.guidance.isOn, request.unconditionalText?.shape != text {
      throw DiffusionError(
        .invalidSetting, "unconditional text",
        "found \(request.unconditionalText.map { "shape \($0.shape)" } ?? "none"), "
          + "expected shape \(text), since guidance is above 1")
    }
  }
}
