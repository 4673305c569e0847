/// The bounds of every comparison with a reference implementation; no such test has one of its own.
///
/// Tests of single operations against the same arithmetic written plainly state their own, tighter ones.
///
/// A bound is a share of the reference's range (largest minus smallest value) that the largest absolute
/// difference may reach.
public struct Tolerance: Sendable {
  /// The share of the range.
  public let ofRange: Float

  /// Equal in every bit.
  public static let exact = Tolerance(ofRange: 0)
  /// The same arithmetic in another order of rounding only: schedules, coefficients, sinusoids.
  public static let rounding = Tolerance(ofRange: 1e-6)
  /// All steps of a scheduler on the same predictions: rounding that adds up.
  public static let run = Tolerance(ofRange: 1e-5)
  /// One layer, one block or one pass of a network in single precision.
  public static let layer = Tolerance(ofRange: 1e-4)
  /// A loop of ten or more network calls in single precision.
  public static let loop = Tolerance(ofRange: 1e-3)
  /// Steps of an image's 255 levels that a byte may be off by after a loop.
  public static let imageLevels = 1
}
