/// Seeds and choices of a sample, from the run's seed and the sample's number alone.
///
/// Everything is a pure function of its arguments, so samples can be made in any order, on any machine, and a
/// retry never moves a neighbour.
///
/// - Source: the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators",
///   OOPSLA 2014, variant 13 of Stafford's mixers). It is a bijection, so the seeds of one run are distinct.
public enum SampleSeed {
  /// 2^64 over the golden ratio, made odd.
  private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// The seed of attempt `attempt` at sample `index`: `m(m(m(run) + index) + attempt)`, each sum stepped by the
  /// golden ratio before it is mixed.
  public static func derive(run: UInt64, index: UInt64, attempt: UInt64) -> UInt64 {
    mix(mix(mix(run) &+ index) &+ attempt)
  }

  /// One mixing step.
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ step
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// What a stream of planning choices is for; streams of different purposes are independent.
enum ChoicePurpose: UInt64 {
  case classOrder = 1
  case classOffset
  case objectCount
  case template
  case slot
  case instanceCount
  case adjective
}

/// A short stream of choices addressed by (run seed, purpose, number).
struct ChoiceStream {
  private let key: UInt64
  private var counter: UInt64 = 0

  init(run: UInt64, purpose: ChoicePurpose, number: Int) {
    let purposeKey = SampleSeed.mix(SampleSeed.mix(run) ^ (purpose.rawValue << 56))
    key = SampleSeed.mix(purposeKey &+ UInt64(bitPattern: Int64(number)))
  }

  /// The next 64 random bits.
  mutating func next() -> UInt64 {
    defer { counter &+= 1 }
    return SampleSeed.mix(key &+ counter)
  }

  /// A number in 0 ..< `bound`, by the high half of the product (bias below bound / 2^64).
  mutating func next(below bound: Int) -> Int {
    precondition(bound > 0, "a choice among \(bound) things")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number in [0, 1).
  mutating func nextFraction() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// 0 ..< `count` in random order (Fisher and Yates).
  mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, next(below: last + 1))
    }
    return order
  }
}
