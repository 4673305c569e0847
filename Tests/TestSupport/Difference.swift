public import TensorCore

/// How far a result is from its reference.
public struct Difference: Sendable, CustomStringConvertible {
  /// The largest absolute difference; infinite where a value is not a number or the shapes differ.
  public let maximum: Float
  /// The reference's largest value minus its smallest.
  public let range: Float

  /// The reference's standard deviation.
  public let deviation: Float

  /// The largest difference as a share of the reference's standard deviation.
  public var ofDeviation: Float { maximum / deviation }

  /// The largest difference as a share of the reference's range; of 0.001 where all of the reference is one
  /// value and has none.
  public var ofRange: Float { maximum / (range > 0 ? range : 1e-3) }

  /// Compares; shapes must be equal.
  public init(_ found: Tensor, _ expected: Tensor) {
    guard found.shape == expected.shape else {
      self.init(maximum: .infinity, range: 1, deviation: 1)
      return
    }
    self.init(found.values, expected.values)
  }

  /// Compares; counts must be equal.
  public init(_ found: [Float], _ expected: [Float]) {
    guard found.count == expected.count, let first = expected.first else {
      self.init(
        maximum: found.isEmpty && expected.isEmpty ? 0 : .infinity, range: 1, deviation: 1)
      return
    }
    var (maximum, low, high): (Float, Float, Float) = (0, first, first)
    for (a, b) in zip(found, expected) {
      let difference = abs(a - b)
      maximum = difference.isNaN ? .infinity : max(maximum, difference)
      (low, high) = (min(low, b), max(high, b))
    }
    let mean = expected.reduce(0.0) { $0 + Double($1) } / Double(expected.count)
    let squares = expected.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    self.init(
      maximum: maximum, range: high - low,
      deviation: Float((squares / Double(expected.count)).squareRoot()))
  }

  private init(maximum: Float, range: Float, deviation: Float) {
    self.maximum = maximum
    self.range = range
    self.deviation = deviation
  }

  /// Both figures.
  public var description: String { "max \(maximum), \(ofRange) of range \(range)" }

  /// Prints the figures behind a label and says whether they keep within a tolerance.
  public func keeps(within tolerance: Tolerance, _ label: String) -> Bool {
    print("parity \(label): \(self) (limit \(tolerance.ofRange))")
    return ofRange <= tolerance.ofRange
  }

  /// Prints the figures behind a label and says whether they keep within a share of the standard deviation.
  public func keeps(withinDeviation share: Float, _ label: String) -> Bool {
    print(
      "parity \(label): max \(maximum), \(ofDeviation) of deviation \(deviation) (limit \(share))")
    return ofDeviation <= share
  }
}
