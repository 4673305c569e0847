/// Pseudo numerical methods for diffusion models: a linear multistep method, after three Runge–Kutta steps of four
/// model calls each unless `skip_prk_steps`.
///
/// Without the Runge–Kutta steps a run of n ≥ 2 steps calls the model n + 1 times, the second timestep twice; with
/// them n + 9 times.
///
/// - Source: Liu and others, "Pseudo numerical methods for diffusion models on manifolds" (2022), equations 9, 12 and
///   13; diffusers `PNDMScheduler`.
public struct PNDMScheduler: Scheduler {
  /// The settings.
  public let configuration: SchedulerConfiguration
  /// How much signal is left at each training step.
  public let schedule: NoiseSchedule

  private let skipsRungeKutta: Bool

  /// Computes the schedule of a configuration.
  ///
  /// - Throws: ``DiffusionError`` where the configuration holds what this scheduler does not have.
  public init(_ configuration: SchedulerConfiguration) throws {
    try configuration.refuseSamplePrediction(.pndm)
    guard !configuration.rescalesToZeroSNR else {
      throw DiffusionError(
        .unsupported, configuration.file, key: "rescale_betas_zero_snr",
        "found true, supported by pndm: false; choose another with --scheduler")
    }
    skipsRungeKutta = try configuration.reader.flag("skip_prk_steps", default: false)
    self.configuration = configuration
    schedule = NoiseSchedule(configuration)
    guard schedule.alphaBars.allSatisfy({ $0.isFinite && $0 > 0 && $0 < 1 }) else {
      throw DiffusionError(
        .malformed, configuration.file, key: "beta_schedule",
        "the betas leave the range of a noise schedule")
    }
  }

  /// Plans a run.
  ///
  /// - Throws: ``DiffusionError`` where the settings do not go with the configuration.
  public func start(stepCount: Int, eta: Float = 0) throws -> any SamplingRun {
    try SchedulerConfiguration.Kind.pndm.refuseEta(eta)
    let timesteps = try configuration.timesteps(stepCount: stepCount)
    let stride = configuration.trainingSteps / stepCount
    let moves =
      skipsRungeKutta
      ? multistep(timesteps, stride: stride)
      : try rungeKutta(timesteps, stride: stride)
        + timesteps.dropFirst(3).map { Move(timestep: $0, from: $0, to: $0 - stride, .multistep) }
    try configuration.checkRange(moves.map(\.from))
    return PNDMRun(
      timesteps: moves.map(\.timestep), steps: moves.map(step), prediction: configuration.prediction
    )
  }

  /// One model call: where the model is asked, and from where to where the sample goes.
  private struct Move {
    var timestep: Int
    var from: Int
    var to: Int
    var role: PNDMRun.Role

    init(timestep: Int, from: Int, to: Int, _ role: PNDMRun.Role) {
      self.timestep = timestep
      self.from = from
      self.to = to
      self.role = role
    }
  }

  /// The first step is made twice, the second time with the average of both its ends.
  private func multistep(_ timesteps: [Int], stride: Int) -> [Move] {
    var moves = timesteps.map { Move(timestep: $0, from: $0, to: $0 - stride, .multistep) }
    guard timesteps.count > 1 else { return moves }
    let second = timesteps[1]
    moves.insert(Move(timestep: second, from: second + stride, to: second, .correction), at: 1)
    return moves
  }

  /// Three steps of four calls: at the start, twice in the middle, at the end.
  private func rungeKutta(_ timesteps: [Int], stride: Int) throws -> [Move] {
    guard timesteps.count >= 4 else {
      throw DiffusionError(
        .invalidSetting, "steps",
        "found \(timesteps.count), expected 4 or more, since \(configuration.file) does not skip the "
          + "Runge-Kutta steps (skip_prk_steps)")
    }
    let half = stride / 2
    return (0..<3).flatMap { index in
      let (start, end) = (timesteps[index], timesteps[index + 1])
      let middle = end + half
      return [
        Move(timestep: start, from: start, to: start - half, .rungeKutta(0)),
        Move(timestep: middle, from: start, to: middle, .rungeKutta(1)),
        Move(timestep: middle, from: start, to: middle - half, .rungeKutta(2)),
        Move(timestep: end, from: start, to: end, .rungeKutta(3)),
      ]
    }
  }

  /// The factors of one move, in single precision as the reference has them.
  private func step(_ move: Move) -> PNDMRun.Step {
    let alphaBar = schedule.alphaBars[move.from]
    let final: Float = configuration.endsAtOne ? 1 : schedule.alphaBars[0]
    let next = move.to >= 0 ? schedule.alphaBars[move.to] : final
    let (beta, nextBeta) = (1 - alphaBar, 1 - next)
    return PNDMRun.Step(
      role: move.role, signal: alphaBar.squareRoot(), noise: beta.squareRoot(),
      keep: (next / alphaBar).squareRoot(), change: next - alphaBar,
      divisor: alphaBar * nextBeta.squareRoot() + (alphaBar * beta * next).squareRoot())
  }
}
