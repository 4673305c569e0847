import CanonicalJSON
import Foundation

/// σ = √((1 − ᾱ) / ᾱ) of each training step: the noise of a sample whose signal was not scaled down.
///
/// Euler's method and DPM-Solver++ step from level to level. Levels are read between training steps too, in double
/// precision as NumPy does; the table and what steps are made of is in single precision as in PyTorch.
///
/// - Source: Karras and others, "Elucidating the design space of diffusion-based generative models" (2022); diffusers
///   `EulerDiscreteScheduler.set_timesteps`.
struct NoiseLevels: Sendable {
  /// How a configuration wants the levels of a run spread.
  struct Spread: Sendable {
    /// The least and the most level of the Karras spread; nil for those of the schedule.
    var least: Double?
    var most: Double?
    /// Whether a run ends without noise, rather than with that of the first training step.
    var endsAtZero: Bool

    private enum Final: String, CaseIterable {
      case zero
      case least = "sigma_min"
    }

    /// - Throws: ``DiffusionError`` naming the key, the value found and those supported.
    init(_ reader: ConfigurationReader) throws {
      for key in ["use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas", "use_lu_lambdas"]
      {
        try reader.require(key, false)
      }
      let limits = 1e-6...1e6
      least = try reader.value("sigma_min").map { _ in try reader.number("sigma_min", in: limits) }
      most = try reader.value("sigma_max").map { _ in try reader.number("sigma_max", in: limits) }
      endsAtZero = try reader.choice("final_sigmas_type", default: Final.zero) == .zero
    }
  }

  /// By training step, from the cleanest; never falling.
  let values: [Float]
  private let logarithms: [Float]

  /// - Throws: ``DiffusionError`` where a training step has no noise or no signal.
  init(_ schedule: NoiseSchedule, _ configuration: SchedulerConfiguration) throws {
    var alphaBars = schedule.alphaBars
    // Without signal the level were infinite; the smallest half-precision number stands for none.
    if configuration.rescalesToZeroSNR { alphaBars[alphaBars.count - 1] = 0x1p-24 }
    let values = alphaBars.map { ((1 - $0) / $0).squareRoot() }
    guard values.allSatisfy({ $0.isFinite && $0 > 0 }),
      zip(values, values.dropFirst()).allSatisfy({ $0 <= $1 })
    else {
      throw DiffusionError(
        .malformed, configuration.file, key: "beta_schedule",
        "the betas leave the range of a noise schedule")
    }
    self.values = values
    logarithms = values.map { Float(log(Double($0))) }
  }

  /// The level at a training step or between two.
  func level(at timestep: Float) -> Double {
    let place = min(max(Double(timestep), 0), Double(values.count - 1))
    let below = min(Int(place), max(values.count - 2, 0))
    let above = min(below + 1, values.count - 1)
    let (low, high) = (Double(values[below]), Double(values[above]))
    return (high - low) * (place - Double(below)) + low
  }

  /// The training step of a level, by its logarithm between two training steps.
  func timestep(of level: Double) -> Double {
    guard values.count > 1 else { return 0 }
    let wanted = log(level)
    let reached = logarithms.partitioningIndex { Double($0) > wanted }
    let below = min(max(reached - 1, 0), values.count - 2)
    let (low, high) = (logarithms[below], logarithms[below + 1])
    guard low < high else { return Double(below) }
    let weight = min(max((Double(low) - wanted) / Double(low - high), 0), 1)
    return (1 - weight) * Double(below) + weight * Double(below + 1)
  }

  /// Levels evenly spread in their seventh root, from the noisiest.
  static func karras(from most: Double, to least: Double, count: Int) -> [Double] {
    let (first, last) = (pow(most, 1 / 7), pow(least, 1 / 7))
    return (0..<count).map { index in
      let share =
        index == count - 1 && index > 0 ? 1 : Double(index) * (1 / Double(max(count - 1, 1)))
      return pow(first + share * (last - first), 7)
    }
  }

  /// The levels of a run in single precision, and the one it ends with.
  ///
  /// - Throws: ``DiffusionError`` where two steps fall on one level.
  func run(_ levels: [Double], _ spread: Spread) throws -> [Float] {
    let rounded = levels.map(Float.init)
    guard zip(rounded, rounded.dropFirst()).allSatisfy({ $0 > $1 }) else {
      throw DiffusionError(
        .invalidSetting, "steps",
        "\(levels.count) steps do not fall on as many levels of noise; use fewer steps")
    }
    return rounded + [spread.endsAtZero ? 0 : values[0]]
  }
}

extension Array where Element == Float {
  /// The first index from which on `isBeyond` holds, in a sorted array.
  fileprivate func partitioningIndex(_ isBeyond: (Float) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = low + (high - low) / 2
      if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
