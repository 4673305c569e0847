public import TensorCore

/// From the clean latents of pictures to those that a sampler would have come through.
public struct LatentInverter: Sendable {
  /// How noise is found.
  public enum Method: String, Sendable, CaseIterable {
    /// By the model, with ``DDIMInversion``: what a run from there leads back to the picture.
    case ddim
    /// By chance, as in training: √ᾱ · picture + √(1 − ᾱ) · noise of the seed.
    case noise
  }

  /// Latents at the timesteps of a run, from the noisiest: what a sampler gives the model at its steps.
  public struct Trajectory: Sendable {
    /// The timesteps of a sampling run.
    public let timesteps: [Int]
    /// The noisiest latents [N, H, W, C], from which a sampler would start: those of step 0.
    public let start: Tensor
    /// The latents [N, H, W, C] of the steps that were asked for, by step.
    public let latents: [Int: Tensor]
  }

  private let sampler: LatentSampler
  private let forward: DDIMScheduler

  /// An inverter of a model; the class that the configuration names does not matter.
  ///
  /// - Throws: ``DiffusionError`` where the configuration leaves no signal to sample from.
  public init(unet: UNet, configuration: SchedulerConfiguration) throws {
    sampler = LatentSampler(unet: unet, scheduler: try configuration.scheduler(.ddimInverse))
    forward = try DDIMScheduler(configuration.adapted(to: .ddim))
  }

  /// The timesteps of a sampling run, from the noisiest.
  ///
  /// - Throws: ``DiffusionError`` where there cannot be as many steps.
  public func timesteps(stepCount: Int) throws -> [Int] {
    try forward.timesteps(stepCount: stepCount)
  }

  /// Inverts by the model.
  ///
  /// - Parameters:
  ///   - request: clean latents in the place of noise, the texts, the number of steps and the guidance. Above 1 the
  ///     way back is less exact the stronger it is.
  ///   - keeping: the steps of a sampling run, from 0, the noisiest, whose latents are wanted.
  ///   - onStep: called after each step; throwing ends the run.
  /// - Returns: the latents on the way.
  /// - Throws: ``DiffusionError`` where the settings do not go together or numbers leave their range, and what
  ///   `onStep` throws.
  public func inverted(
    _ request: LatentSampler.Request, keeping: (_ step: Int, _ timestep: Int) -> Bool,
    onStep: (LatentSampler.Progress) throws -> Void = { _ in }
  ) throws -> Trajectory {
    var latents: [Int: Tensor] = [:]
    let start = try sampler(request) { progress in
      let step = progress.stepCount - 1 - progress.step
      if keeping(step, progress.timestep) { latents[step] = progress.latents }
      try onStep(progress)
    }
    let timesteps = try forward.timesteps(stepCount: request.stepCount)
    return Trajectory(timesteps: timesteps, start: start, latents: latents)
  }

  /// Adds noise, the same at every timestep.
  ///
  /// - Parameters:
  ///   - clean: clean latents [N, H, W, C].
  ///   - seeds: one a sample; the noise is that of ``LatentNoise/initial(seeds:height:width:channels:)``.
  ///   - stepCount: the number of steps of a sampling run.
  ///   - keeping: the steps, from 0, the noisiest, whose latents are wanted.
  /// - Returns: the latents on the way.
  /// - Throws: ``DiffusionError`` where there cannot be as many steps.
  public func noised(
    _ clean: Tensor, seeds: [UInt64], stepCount: Int,
    keeping: (_ step: Int, _ timestep: Int) -> Bool
  ) throws -> Trajectory {
    let (n, h, w, c) = clean.dimensions4("LatentInverter")
    precondition(seeds.count == n, "LatentInverter: \(seeds.count) seeds for \(n) samples")
    let timesteps = try forward.timesteps(stepCount: stepCount)
    let noise = LatentNoise.initial(seeds: seeds, height: h, width: w, channels: c)
    func noised(_ timestep: Int) -> Tensor {
      forward.schedule.noised(clean, noise: noise, timesteps: Array(repeating: timestep, count: n))
    }
    var latents: [Int: Tensor] = [:]
    for (step, timestep) in timesteps.enumerated() where keeping(step, timestep) {
      latents[step] = noised(timestep)
    }
    return Trajectory(timesteps: timesteps, start: noised(timesteps[0]), latents: latents)
  }
}
