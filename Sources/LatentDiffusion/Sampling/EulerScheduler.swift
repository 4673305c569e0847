import CanonicalJSON
import Foundation

/// Euler's method over noise levels, and its ancestral form that draws noise at every step.
///
/// - Source: Karras and others, "Elucidating the design space of diffusion-based generative models" (2022),
///   algorithm 1 without churn; diffusers `EulerDiscreteScheduler` and `EulerAncestralDiscreteScheduler`.
public struct EulerScheduler: Scheduler {
  /// The settings.
  public let configuration: SchedulerConfiguration
  /// The form: `euler`, `eulerKarras` or `eulerAncestral`.
  public let kind: SchedulerConfiguration.Kind
  /// How much signal is left at each training step.
  public let schedule: NoiseSchedule

  private enum Interpolation: String, CaseIterable {
    case linear
    case logarithmic = "log_linear"
  }

  private let levels: NoiseLevels
  private let spread: NoiseLevels.Spread
  private let interpolation: Interpolation

  /// Computes the schedule of a configuration.
  ///
  /// - Precondition: `kind` is one of Euler's.
  /// - Throws: ``DiffusionError`` where the configuration holds what this scheduler does not have.
  public init(_ configuration: SchedulerConfiguration, kind: SchedulerConfiguration.Kind) throws {
    precondition(
      kind == .euler || kind == .eulerKarras || kind == .eulerAncestral,
      "EulerScheduler: \(kind) is none of Euler's")
    self.configuration = configuration
    self.kind = kind
    schedule = NoiseSchedule(configuration)
    levels = try NoiseLevels(schedule, configuration)
    let reader = configuration.reader
    if kind == .eulerAncestral {
      try configuration.refuseSamplePrediction(kind)
      // The reference's ancestral form has no such keys and always ends without noise.
      spread = try NoiseLevels.Spread(ConfigurationReader([:], file: configuration.file))
      interpolation = .linear
    } else {
      spread = try NoiseLevels.Spread(reader)
      interpolation = try reader.choice("interpolation_type", default: .linear)
      try reader.require("timestep_type", "discrete")
    }
  }

  /// Plans a run.
  ///
  /// - Throws: ``DiffusionError`` where the settings do not go with the configuration.
  public func start(stepCount: Int, eta: Float = 0) throws -> any SamplingRun {
    try kind.refuseEta(eta)
    var timesteps = try configuration.fractionalTimesteps(stepCount: stepCount)
    var wanted: [Double]
    switch interpolation {
    case .linear: wanted = timesteps.map(levels.level)
    case .logarithmic: wanted = logarithmic(count: stepCount + 1)
    }
    if kind.usesKarrasLevels {
      wanted = NoiseLevels.karras(
        from: spread.most ?? wanted[0], to: spread.least ?? wanted[wanted.count - 1],
        count: stepCount)
      timesteps = wanted.map { Float(levels.timestep(of: $0)) }
    }
    let sigmas = try levels.run(wanted, spread)
    let steps = (0..<stepCount).map { step(from: sigmas[$0], to: sigmas[$0 + 1]) }
    let first = sigmas[0]
    return EulerRun(
      modelTimesteps: timesteps, steps: steps, prediction: configuration.prediction,
      // The leading spacing does not begin at the noisiest level and counts the signal in.
      initialScale: configuration.spacing == .leading ? (first * first + 1).squareRoot() : first,
      needsNoise: kind == .eulerAncestral)
  }

  private func step(from sigma: Float, to next: Float) -> EulerRun.Step {
    guard kind == .eulerAncestral else {
      return EulerRun.Step(sigma: sigma, next: next, deviation: 0)
    }
    let (from, to) = (sigma * sigma, next * next)
    let deviation = (to * (from - to) / from).squareRoot()
    let down = max(to - deviation * deviation, 0).squareRoot()
    return EulerRun.Step(sigma: sigma, next: down, deviation: deviation)
  }

  /// Evenly in the logarithm from the schedule's noisiest level to its cleanest.
  private func logarithmic(count: Int) -> [Double] {
    let (most, least) = (levels.values[levels.values.count - 1], levels.values[0])
    let ends = (Double(Float(log(Double(most)))), Double(Float(log(Double(least)))))
    return NoiseSchedule.evenly(from: ends.0, to: ends.1, count: count)
      .map { Double(Float(exp(Double($0)))) }
  }
}
