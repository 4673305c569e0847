import Foundation

/// How the learning rate changes: a rise from zero, then a curve.
public struct LearningRateSchedule: Sendable, Equatable {
  /// What happens after the rise.
  public enum Curve: Sendable, Equatable {
    /// Nothing.
    case constant
    /// A straight line down to `end` times the rate.
    case linear(end: Double)
    /// Half a cosine down to `end` times the rate.
    case cosine(end: Double)
    /// A power of what is left, down to `end` times the rate.
    case polynomial(power: Double, end: Double)
    /// Times `factor` at each of these steps, counted from the beginning of training.
    case steps(at: [Int], factor: Double)
  }

  /// Steps of the rise: the first is at 1 / (`warmUp` + 1) of the rate, in a straight line.
  public var warmUp: Int
  /// What happens after it.
  public var curve: Curve
  /// Steps in all; curves that fall have fallen after the last.
  public var total: Int

  /// Describes a schedule.
  public init(_ curve: Curve = .constant, total: Int, warmUp: Int = 0) {
    (self.curve, self.total, self.warmUp) = (curve, total, warmUp)
  }

  /// The factor of the learning rate at a step, the first being 0.
  public func factor(at step: Int) -> Double {
    if step < warmUp { return Double(step + 1) / Double(warmUp + 1) }
    let length = max(total - warmUp, 1)
    let progress = min(Double(step - warmUp) / Double(length), 1)
    switch curve {
    case .constant: return 1
    case .linear(let end): return end + (1 - end) * (1 - progress)
    case .cosine(let end): return end + (1 - end) * (1 + cos(Double.pi * progress)) / 2
    case .polynomial(let power, let end): return end + (1 - end) * pow(1 - progress, power)
    case .steps(let places, let factor):
      return pow(factor, Double(places.filter { $0 <= step }.count))
    }
  }

  func check() throws(TrainingError) {
    func refuse(_ place: String, _ message: String) throws(TrainingError) -> Never {
      throw TrainingError(.invalidSetting, "learning rate schedule: \(place)", message)
    }
    guard total >= 1 else { try refuse("steps", "found \(total), expected 1 or more") }
    guard warmUp >= 0, warmUp < total else {
      try refuse("warm-up", "found \(warmUp), expected 0 to \(total - 1) of \(total) steps")
    }
    switch curve {
    case .constant: break
    case .linear(let end), .cosine(let end), .polynomial(_, let end):
      guard (0...1).contains(end) else { try refuse("end", "found \(end), expected 0 to 1") }
      if case .polynomial(let power, _) = curve, !(power > 0 && power.isFinite) {
        try refuse("power", "found \(power), expected a number above 0")
      }
    case .steps(let places, let factor):
      guard factor > 0, factor <= 1 else {
        try refuse("factor", "found \(factor), expected above 0, at most 1")
      }
      guard places.allSatisfy({ $0 > 0 }) else {
        try refuse("steps", "found \(places), expected steps from 1")
      }
    }
  }
}
