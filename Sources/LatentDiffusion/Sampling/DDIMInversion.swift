/// From a clean latent back to noise: the steps of DDIM taken the other way, without chance.
///
/// A run of ``DDIMScheduler`` from the result, with the same number of steps and without guidance, ends near the
/// latent it came from. Each step asks the model at the timestep it leads to, about the sample it comes from: the
/// prediction at the end of a step is not known before it is taken.
///
/// - Source: Song, Meng and Ermon, "Denoising diffusion implicit models" (2021), section 4.3; diffusers
///   `DDIMInverseScheduler`, and the steps of `DDIMScheduler` reversed for the spacing that one lacks (linspace).
public struct DDIMInversion: Scheduler {
  private let forward: DDIMScheduler

  /// How much signal is left at each training step.
  public var schedule: NoiseSchedule { forward.schedule }

  /// Computes the schedule of a configuration.
  ///
  /// - Throws: ``DiffusionError`` where the configuration leaves no signal to sample from.
  public init(_ configuration: SchedulerConfiguration) throws {
    forward = try DDIMScheduler(configuration)
  }

  /// Plans a run; its timesteps rise.
  ///
  /// - Parameters:
  ///   - stepCount: number of model calls.
  ///   - eta: nothing but 0; noise that was drawn cannot be taken back.
  /// - Returns: a run that starts from a clean latent. Dynamic thresholding is left out, as in the reference.
  /// - Throws: ``DiffusionError`` where the settings do not go with the configuration.
  public func start(stepCount: Int, eta: Float = 0) throws -> any SamplingRun {
    try SchedulerConfiguration.Kind.ddimInverse.refuseEta(eta)
    let configuration = forward.configuration
    let timesteps = try forward.timesteps(stepCount: stepCount)
    let stride = configuration.trainingSteps / stepCount
    let steps = timesteps.map { forward.coefficients(timestep: $0, previous: $0 - stride, eta: 0) }
    return DDIMRun(
      timesteps: timesteps.reversed(), steps: steps.reversed().map(\.inverted),
      prediction: configuration.prediction, clipRange: configuration.clipRange, thresholding: nil,
      needsNoise: false)
  }
}
