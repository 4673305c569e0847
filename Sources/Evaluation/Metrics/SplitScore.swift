/// A score on the two sides of a split.
public struct SplitScore: Sendable, Equatable {
  /// On classes that were labelled in training; nil where there are none.
  public var seen: Double?
  /// On classes that never were; nil where there are none.
  public var unseen: Double?

  /// Pairs two scores.
  public init(seen: Double?, unseen: Double?) {
    self.seen = seen
    self.unseen = unseen
  }

  /// The harmonic mean, 0 where both are 0; nil where a side has no classes.
  ///
  /// - Source: 2 S U / (S + U), as in `valeoai/ZS3` `zs3/utils/metrics.py`.
  public var harmonic: Double? {
    guard let seen, let unseen else { return nil }
    return seen + unseen > 0 ? 2 * seen * unseen / (seen + unseen) : 0
  }
}
