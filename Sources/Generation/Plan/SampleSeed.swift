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

  /// The seed of attempt `attempt` at a sample whose attempt 0 has the seed `first`: what ``derive(run:index:attempt:)``
  /// gives for the run and index that made `first`, without knowing them.
  public static func retry(_ first: UInt64, attempt: UInt64) -> UInt64 {
    mix(unmix(first) &+ attempt)
  }

  /// The seed of the run whose sample 0 has the seed `first` at attempt 0.
  public static func run(firstSeed first: UInt64) -> UInt64 { unmix(unmix(unmix(first))) }

  /// What ``mix(_:)`` makes `value` of.
  static func unmix(_ value: UInt64) -> UInt64 {
    // The inverses of odd factors modulo 2^64; a shift by more than 21 bits is undone in two or three rounds.
    var z = value ^ (value >> 31) ^ (value >> 62)
    z = z &* inverse(0x94D0_49BB_1331_11EB)
    z = z ^ (z >> 27) ^ (z >> 54)
    z = z &* inverse(0xBF58_476D_1CE4_E5B9)
    z = z ^ (z >> 30) ^ (z >> 60)
    return z &- step
  }

  /// Newton's iteration: each round doubles the number of right bits, and an odd number is its own inverse modulo 8.
  private static func inverse(_ odd: UInt64) -> UInt64 {
    var x = odd
    for _ in 0..<5 { x = x &* (2 &- odd &* x) }
    return x
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
package enum ChoicePurpose: UInt64 {
  case classOrder = 1
  /// No longer drawn; its number stays taken.
  case classOffset
  case objectCount
  case template
  case slot
  case instanceCount
  case adjective
  /// What a composed scene shows.
  case sceneContent
  /// Where and how it shows it.
  case scenePlacement
  /// What is said of it.
  case scenePrompt
  /// How many entities a training step asks for.
  case questionSize
  /// Which entities are asked for in a training picture.
  case question
  /// In which order training goes through its pictures.
  case pictureOrder
  /// What a scene does not show.
  case absentClass = 64
}

/// A short stream of choices addressed by (run seed, purpose, number).
package struct ChoiceStream {
  private let key: UInt64
  private var counter: UInt64 = 0

  package init(run: UInt64, purpose: ChoicePurpose, number: Int) {
    let purposeKey = SampleSeed.mix(SampleSeed.mix(run) ^ (purpose.rawValue << 56))
    key = SampleSeed.mix(purposeKey &+ UInt64(bitPattern: Int64(number)))
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    defer { counter &+= 1 }
    return SampleSeed.mix(key &+ counter)
  }

  /// A number in 0 ..< `bound`, by the high half of the product (bias below bound / 2^64).
  package mutating func next(below bound: Int) -> Int {
    precondition(bound > 0, "a choice among \(bound) things")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number in [0, 1).
  package mutating func nextFraction() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// 0 ..< `count` in random order (Fisher and Yates).
  package mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, next(below: last + 1))
    }
    return order
  }
}
