/// Pixels of a class in truth and prediction.
public struct ClassOverlap: Sendable, Equatable {
  /// The class.
  public var id: Int
  /// Pixels of it that were taken for it.
  public var matched: Int
  /// Pixels of it.
  public var truth: Int
  /// Pixels that were taken for it.
  public var predicted: Int

  /// Describes an overlap.
  public init(id: Int, matched: Int = 0, truth: Int = 0, predicted: Int = 0) {
    (self.id, self.matched, self.truth, self.predicted) = (id, matched, truth, predicted)
  }

  /// Adds what was counted elsewhere; nothing where nil.
  public mutating func add(_ other: ClassOverlap?) {
    guard let other else { return }
    matched += other.matched
    truth += other.truth
    predicted += other.predicted
  }

  /// Pixels of it, taken for it, or both.
  public var union: Int { truth + predicted - matched }

  /// Intersection over union, 0...1; nil where there is neither truth nor prediction.
  public var intersectionOverUnion: Double? {
    union > 0 ? Double(matched) / Double(union) : nil
  }

  /// The share of its pixels that were taken for it, 0...1; nil where it has none.
  public var accuracy: Double? { truth > 0 ? Double(matched) / Double(truth) : nil }
}
