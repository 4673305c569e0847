public import CanonicalJSON

/// How often shares from 0 to 1 fall into bins of equal width; each bin holds its lower end, the last one 1 too.
public struct Histogram: Sendable, Equatable {
  /// The counts of one bin.
  public struct Bin: Sendable, Equatable {
    /// Values of accepted samples.
    public var accepted = 0
    /// Values of rejected samples.
    public var rejected = 0
  }

  /// Bins of every histogram.
  public static let binCount = 20

  /// The counts, from 0 to 1.
  public private(set) var bins = [Bin](repeating: Bin(), count: binCount)

  /// Counts nothing yet.
  public init() {}

  /// Counts a value; one beyond the ends goes to the nearest bin.
  public mutating func add(_ value: Double, isAccepted: Bool) {
    let place = min(Self.binCount - 1, max(0, Int(value * Double(Self.binCount))))
    if isAccepted { bins[place].accepted += 1 } else { bins[place].rejected += 1 }
  }

  /// `accepted` and `rejected`, a count for each bin.
  public var json: JSONValue {
    [
      "accepted": .array(bins.map { .integer(Int64($0.accepted)) }),
      "rejected": .array(bins.map { .integer(Int64($0.rejected)) }),
    ]
  }
}
