import Foundation

/// A counter-based generator: every block of numbers depends on key and counter alone.
///
/// Philox 4×32 with ten rounds, after Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3" (2011). Nothing is carried from one block to the next, so any element of any stream can be drawn
/// first, alone or on any thread.
public struct Philox4x32: Sendable, Equatable {
  /// The key.
  public let key: (UInt32, UInt32)

  /// A generator under a key.
  public init(key: (UInt32, UInt32)) { self.key = key }

  /// A generator under a 64-bit key, low half first.
  public init(key: UInt64) {
    self.key = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
  }

  /// Whether two generators have the same key.
  public static func == (a: Philox4x32, b: Philox4x32) -> Bool { a.key == b.key }

  /// The four words at a counter.
  public func block(
    _ counter: (UInt32, UInt32, UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var (x, k) = (counter, key)
    for round in 0..<10 {
      if round > 0 { k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85) }
      let first = x.0.multipliedFullWidth(by: 0xD251_1F53)
      let second = x.2.multipliedFullWidth(by: 0xCD9E_8D57)
      x = (second.high ^ x.1 ^ k.0, second.low, first.high ^ x.3 ^ k.1, first.low)
    }
    return x
  }
}

/// Numbered streams of random numbers under one 64-bit seed.
///
/// The counter of block `b` of stream `s` is the four words (b low, b high, s low, s high).
public struct RandomStreams: Sendable, Equatable {
  private let generator: Philox4x32

  /// The streams of a seed.
  public init(seed: UInt64) { generator = Philox4x32(key: seed) }

  /// Two 64-bit numbers: block `block` of stream `stream`, each with the earlier word as its low half.
  public func words(stream: UInt64, block: UInt64) -> (UInt64, UInt64) {
    let x = generator.block(
      (
        UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32),
        UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
      ))
    return (UInt64(x.0) | UInt64(x.1) << 32, UInt64(x.2) | UInt64(x.3) << 32)
  }

  /// `count` draws of the standard normal distribution, the first of stream `stream`.
  ///
  /// Block b gives draws 2b and 2b + 1 by Box and Muller's transform in double precision, from
  /// u = (⌊first word / 2¹¹⌋ + 1) / 2⁵³ in (0, 1] and v = ⌊second word / 2¹¹⌋ / 2⁵³ in [0, 1):
  /// √(−2 ln u) · cos 2πv, then · sin 2πv, rounded to single precision.
  public func normals(stream: UInt64, into out: UnsafeMutableBufferPointer<Float>) {
    let unit = 0x1p-53
    for block in 0..<(out.count + 1) / 2 {
      let (a, b) = words(stream: stream, block: UInt64(block))
      let radius = (-2 * log((Double(a >> 11) + 1) * unit)).squareRoot()
      let angle = 2 * Double.pi * (Double(b >> 11) * unit)
      out[2 * block] = Float(radius * cos(angle))
      if 2 * block + 1 < out.count { out[2 * block + 1] = Float(radius * sin(angle)) }
    }
  }

  /// A tensor of draws of the standard normal distribution in row-major order; see
  /// ``normals(stream:into:)``.
  public func normals(stream: UInt64, shape: [Int]) -> Tensor {
    Tensor(shape: shape) { normals(stream: stream, into: $0) }
  }
}
