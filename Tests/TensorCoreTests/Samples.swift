import TensorCore

/// Reproducible values for tests.
struct Samples {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A number in [0, 2^64).
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number in [-1, 1).
  mutating func value() -> Float { Float(next() >> 40) / Float(1 << 23) - 1 }

  mutating func choose(_ from: [Int]) -> Int { from[Int(next() % UInt64(from.count))] }

  /// A tensor of values in [-scale, scale) around `mean`.
  mutating func tensor(_ shape: [Int], scale: Float = 1, mean: Float = 0) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in value() * scale + mean }, shape: shape)
  }
}

/// The largest absolute difference, divided by the range of the expected values (at least 1e-3).
func relativeDifference(_ found: Tensor, _ expected: Tensor) -> Float {
  guard found.shape == expected.shape else { return .infinity }
  let (a, b) = (found.values, expected.values)
  guard let low = b.min(), let high = b.max() else { return 0 }
  var worst: Float = 0
  for (x, y) in zip(a, b) {
    guard x.isFinite else { return .infinity }
    worst = max(worst, abs(x - y))
  }
  return worst / max(high - low, 1e-3)
}

/// Lengths that fall before, on and behind the edges of vectors, tiles and panels.
let tailSizes = [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65]
