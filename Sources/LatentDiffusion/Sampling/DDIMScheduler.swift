/// Denoising diffusion implicit models.
///
/// - Source: Song, Meng and Ermon, "Denoising diffusion implicit models" (2021), equations 12 and 16; diffusers
///   `DDIMScheduler`.
public struct DDIMScheduler: Scheduler {
  /// The settings.
  public let configuration: SchedulerConfiguration
  /// How much signal is left at each training step.
  public let schedule: NoiseSchedule

  /// Computes the schedule of a configuration.
  ///
  /// - Throws: ``DiffusionError`` where the configuration leaves no signal to sample from.
  public init(_ configuration: SchedulerConfiguration) throws {
    self.configuration = configuration
    schedule = NoiseSchedule(configuration)
    guard schedule.alphaBars.allSatisfy({ $0.isFinite && $0 >= 0 && $0 <= 1 }) else {
      throw DiffusionError(
        .malformed, configuration.file, key: "beta_schedule",
        "the betas leave the range of a noise schedule")
    }
  }

  /// Plans a run.
  ///
  /// - Throws: ``DiffusionError`` where the settings do not go with the configuration.
  public func start(stepCount: Int, eta: Float = 0) throws -> any SamplingRun {
    guard eta >= 0, eta <= 1 else {
      throw DiffusionError(.invalidSetting, "eta", "found \(eta), expected 0...1")
    }
    let timesteps = try timesteps(stepCount: stepCount)
    let stride = configuration.trainingSteps / stepCount
    let steps = timesteps.map { coefficients(timestep: $0, previous: $0 - stride, eta: eta) }
    return DDIMRun(
      timesteps: timesteps, steps: steps, prediction: configuration.prediction,
      clipRange: configuration.clipRange, thresholding: configuration.thresholding,
      needsNoise: eta > 0)
  }

  /// The training timesteps of a run, from the noisiest.
  ///
  /// - Throws: ``DiffusionError`` where there are not as many training steps, or an offset leads past them.
  public func timesteps(stepCount: Int) throws -> [Int] {
    try configuration.timesteps(stepCount: stepCount)
  }

  /// The factors of one step, in single precision as the reference has them.
  func coefficients(timestep: Int, previous: Int, eta: Float) -> DDIMRun.Step {
    let alphaBar = schedule.alphaBars[timestep]
    let final: Float = configuration.endsAtOne ? 1 : schedule.alphaBars[0]
    let next = previous >= 0 ? schedule.alphaBars[previous] : final
    let variance = ((1 - next) / (1 - alphaBar)) * (1 - alphaBar / next)
    let deviation = eta * max(variance, 0).squareRoot()
    return DDIMRun.Step(
      signal: alphaBar.squareRoot(), noise: (1 - alphaBar).squareRoot(),
      nextSignal: next.squareRoot(),
      nextNoise: max(1 - next - deviation * deviation, 0).squareRoot(),
      deviation: deviation)
  }
}
