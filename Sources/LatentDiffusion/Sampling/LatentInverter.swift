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

  /// Latents at each timestep of a run, from the noisiest: what a sampler gives the model at its steps.
  public struct Trajectory: Sendable {
    /// The timesteps of a sampling run.
    public let timesteps: [Int]
    /// The latents at each of them [N, H, W, C].
    public let latents: [Tensor]

    /// The noisiest latents, from which a sampler would start.
    ///
    /// - Precondition: the run has steps.
    public var start: Tensor { latents[0] }
  }

  private let sampler: LatentSampler
  private let forward: DDIMScheduler

  /// An inverter of a model.
  ///
  /// - Throws: ``DiffusionError`` where the configuration leaves no signal to sample from.
  public init(unet: UNet, configuration: SchedulerConfiguration) throws {
    sampler = LatentSampler(unet: unet, scheduler: try DDIMInversion(configuration))
    forward = try DDIMScheduler(configuration)
  }

  /// Inverts by the model.
  ///
  /// - Parameters:
  ///   - request: clean latents in the place of noise, the texts, the number of steps and the guidance. Above 1 the
  ///     way back is less exact the stronger it is.
  ///   - onStep: called after each step; throwing ends the run.
  /// - Returns: the latents at every timestep.
  /// - Throws: ``DiffusionError`` where the settings do not go together or numbers leave their range, and what
  ///   `onStep` throws.
  public func inverted(
    _ request: LatentSampler.Request, onStep: (LatentSampler.Progress) throws -> Void = { _ in }
  ) throws -> Trajectory {
    var latents: [Tensor] = []
    var timesteps: [Int] = []
    _ = try sampler(request) { progress in
      latents.append(progress.latents)
      timesteps.append(progress.timestep)
      try onStep(progress)
    }
    return Trajectory(timesteps: timesteps.reversed(), latents: latents.reversed())
  }

  /// Adds noise, the same at every timestep.
  ///
  /// - Parameters:
  ///   - clean: clean latents [N, H, W, C].
  ///   - seeds: one a sample; the noise is that of ``LatentNoise/initial(seeds:height:width:channels:)``.
  ///   - stepCount: the number of steps of a sampling run.
  /// - Returns: the latents at every timestep.
  /// - Throws: ``DiffusionError`` where there cannot be as many steps.
  public func noised(_ clean: Tensor, seeds: [UInt64], stepCount: Int) throws -> Trajectory {
    let (n, h, w, c) = clean.dimensions4("LatentInverter")
    precondition(seeds.count == n, "LatentInverter: \(seeds.count) seeds for \(n) samples")
    let timesteps = try forward.timesteps(stepCount: stepCount)
    let noise = LatentNoise.initial(seeds: seeds, height: h, width: w, channels: c)
    return Trajectory(
      timesteps: timesteps,
      latents: timesteps.map { timestep in
        forward.schedule.noised(
          clean, noise: noise, timesteps: Array(repeating: timestep, count: n))
      })
  }
}
