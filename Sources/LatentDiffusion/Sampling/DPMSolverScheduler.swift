import CanonicalJSON
import Foundation

/// DPM-Solver++ of second order over two model calls, of the ordinary or the stochastic equation.
///
/// - Source: Lu and others, "DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models" (2022);
///   diffusers `DPMSolverMultistepScheduler`.
public struct DPMSolverScheduler: Scheduler {
  /// The settings.
  public let configuration: SchedulerConfiguration
  /// The form: `dpmSolver`, `dpmSolverSDE` or one of them with Karras' levels.
  public let kind: SchedulerConfiguration.Kind
  /// How much signal is left at each training step.
  public let schedule: NoiseSchedule

  private enum Solver: String, CaseIterable {
    case midpoint
    case heun
  }

  /// Runs of fewer steps may lower the order of their last one.
  private static let fewSteps = 15

  private let levels: NoiseLevels
  private let spread: NoiseLevels.Spread
  private let solver: Solver
  private let lowersFinalOrder: Bool
  private let endsWithEuler: Bool
  /// The training steps that are used, where those of the least signal are cut off.
  private let usedSteps: Int

  private var isStochastic: Bool { kind == .dpmSolverSDE || kind == .dpmSolverSDEKarras }

  /// Computes the schedule of a configuration.
  ///
  /// - Precondition: `kind` is one of DPM-Solver's.
  /// - Throws: ``DiffusionError`` where the configuration holds what this scheduler does not have.
  public init(_ configuration: SchedulerConfiguration, kind: SchedulerConfiguration.Kind) throws {
    precondition(
      kind.className == SchedulerConfiguration.Kind.dpmSolver.className,
      "DPMSolverScheduler: \(kind) is none of DPM-Solver's")
    self.configuration = configuration
    self.kind = kind
    schedule = NoiseSchedule(configuration)
    levels = try NoiseLevels(schedule, configuration)
    let reader = configuration.reader
    var spread = try NoiseLevels.Spread(reader)
    // The reference's class has no such keys.
    (spread.least, spread.most) = (nil, nil)
    self.spread = spread
    solver = try Self.solver(configuration)
    lowersFinalOrder = try reader.flag("lower_order_final", default: true)
    endsWithEuler = try reader.flag("euler_at_final", default: false)
    try reader.require("variance_type")
    usedSteps = try Self.usedSteps(reader, levels)
  }

  private static func solver(_ configuration: SchedulerConfiguration) throws -> Solver {
    let reader = configuration.reader
    let name = try reader.string("solver_type", default: Solver.midpoint.rawValue)
    // Names that other multistep schedulers have for their own; the reference reads midpoint.
    if configuration.className != SchedulerConfiguration.Kind.dpmSolver.className,
      ["logrho", "bh1", "bh2"].contains(name)
    {
      return .midpoint
    }
    return try reader.choice("solver_type", default: .midpoint)
  }

  private static func usedSteps(_ reader: ConfigurationReader, _ levels: NoiseLevels) throws -> Int
  {
    let key = "lambda_min_clipped"
    guard let value = reader.value(key), value.number != -.infinity else {
      return levels.values.count
    }
    // λ = ln(√ᾱ / √(1 − ᾱ)) = −ln σ.
    let least = try reader.number(key, in: -1e3...1e3)
    let used = levels.values.count { -log(Double($0)) >= least }
    guard used > 0 else {
      throw DiffusionError(
        .malformed, reader.file, key: key, "found \(least), which leaves no training step")
    }
    return used
  }

  /// Plans a run.
  ///
  /// - Throws: ``DiffusionError`` where the settings do not go with the configuration.
  public func start(stepCount: Int, eta: Float = 0) throws -> any SamplingRun {
    try kind.refuseEta(eta)
    try configuration.checkStepCount(stepCount)
    let timesteps: [Int]
    let wanted: [Double]
    if kind.usesKarrasLevels {
      let most = levels.values[levels.values.count - 1]
      wanted = NoiseLevels.karras(
        from: Double(most), to: Double(levels.values[0]), count: stepCount)
      // The reference cuts the fraction off where the schedule is the cosine, and rounds elsewhere.
      let cuts = configuration.betaSchedule == .squaredCosine
      timesteps = wanted.map {
        Int(levels.timestep(of: $0).rounded(cuts ? .towardZero : .toNearestOrEven))
      }
    } else {
      timesteps = spacedTimesteps(stepCount: stepCount)
      try configuration.checkRange(timesteps)
      wanted = timesteps.map { levels.level(at: Float($0)) }
    }
    let sigmas = try levels.run(wanted, spread)
    let steps = timesteps.indices.map { step($0, sigmas) }
    return DPMSolverRun(
      timesteps: timesteps, steps: steps, prediction: configuration.prediction,
      thresholding: configuration.thresholding, needsNoise: isStochastic)
  }

  /// The training timesteps of a run, from the noisiest; one more than asked for is spread and the last left off.
  private func spacedTimesteps(stepCount: Int) -> [Int] {
    switch configuration.spacing {
    case .linspace:
      let stride = Double(usedSteps - 1) / Double(stepCount)
      return (1...stepCount).reversed().map { index in
        index == stepCount
          ? usedSteps - 1 : Int((Double(index) * stride).rounded(.toNearestOrEven))
      }
    case .leading:
      let stride = usedSteps / (stepCount + 1)
      return (1...stepCount).reversed().map { $0 * stride + configuration.stepsOffset }
    case .trailing:
      return configuration.trailing(from: usedSteps, stepCount: stepCount)
    }
  }

  /// The factors of one step, in single precision as the reference has them.
  private func step(_ index: Int, _ sigmas: [Float]) -> DPMSolverRun.Step {
    let (here, next) = (Level(sigmas[index]), Level(sigmas[index + 1]))
    let count = sigmas.count - 1
    let isLast = index == count - 1
    let isFew = count < Self.fewSteps
    let h = next.lambda - here.lambda
    // How far the clean sample is gone to: 1 − e^−h, with all noise drawn anew 1 − e^−2h.
    let reach = next.alpha * (1 - exponential(isStochastic ? -2 * h : -h))
    var step = DPMSolverRun.Step(
      alpha: here.alpha, sigma: here.sigma,
      keep: next.sigma / here.sigma * (isStochastic ? exponential(-h) : 1), clean: reach, change: 0,
      deviation: isStochastic ? next.sigma * (1 - exponential(-2 * h)).squareRoot() : 0)
    let isFirstOrder =
      index == 0
      || isLast && (endsWithEuler || lowersFinalOrder && isFew || spread.endsAtZero)
    guard !isFirstOrder, h > 0 else { return step }
    let inverseRatio = 1 / ((here.lambda - Level(sigmas[index - 1]).lambda) / h)
    switch solver {
    case .midpoint:
      step.change = 0.5 * reach * inverseRatio
    case .heun:
      let twice: Float = isStochastic ? 2 : 1
      let average = (exponential(-twice * h) - 1) / (twice * h)
      step.change = next.alpha * (average + 1) * inverseRatio
    }
    return step
  }

  /// A noise level in the terms of the variance-preserving process: α² + σ² = 1.
  private struct Level {
    let alpha: Float
    let sigma: Float
    /// ln α − ln σ.
    let lambda: Float

    init(_ level: Float) {
      alpha = 1 / (level * level + 1).squareRoot()
      sigma = level * alpha
      lambda = Float(log(Double(alpha))) - Float(log(Double(sigma)))
    }
  }

  private func exponential(_ x: Float) -> Float { Float(exp(Double(x))) }
}
