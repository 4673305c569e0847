public import TensorCore

/// A stream of numbers that depends on its seed alone, the same on every machine, with the draws that tests need.
///
/// - Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Begins the stream of a seed.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Bytes in `0..<limit`.
  public mutating func bytes(_ count: Int, below limit: Int = 256) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: Int.random(in: 0..<limit, using: &self)) }
  }

  /// One of several.
  ///
  /// - Precondition: there is one.
  public mutating func choose<T>(_ candidates: [T]) -> T {
    candidates[Int(next() % UInt64(candidates.count))]
  }

  /// A number in [-1, 1) with 24 bits.
  public mutating func value() -> Float { Float(next() >> 40) / Float(1 << 23) - 1 }

  /// A tensor of values in [-scale, scale) around `mean`.
  public mutating func tensor(_ shape: [Int], scale: Float = 1, mean: Float = 0) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in value() * scale + mean }, shape: shape)
  }
}
