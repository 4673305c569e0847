/// The random numbers of `numpy.random.seed` and `numpy.random.choice`, for episodes that published code draws with them.
///
/// - Source: Matsumoto and Nishimura, "Mersenne Twister" (1998), MT19937; NumPy's `RandomState`, whose choice without
///   repetition is the head of a shuffle from the last place down.
package struct MersenneTwister {
  private static let size = 624
  private static let distance = 397
  private var state: [UInt32]
  private var place = MersenneTwister.size

  /// Begins the stream of a seed, as `numpy.random.seed` does.
  package init(seed: UInt32) {
    state = [seed]
    for index in 1..<Self.size {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
    }
  }

  /// The next 32 bits.
  mutating func next() -> UInt32 {
    if place == Self.size { refill() }
    var value = state[place]
    place += 1
    value ^= value >> 11
    value ^= value << 7 & 0x9d2c_5680
    value ^= value << 15 & 0xefc6_0000
    return value ^ value >> 18
  }

  private mutating func refill() {
    for index in 0..<Self.size {
      let joined =
        state[index] & 0x8000_0000 | state[(index + 1) % Self.size] & 0x7fff_ffff
      let twist: UInt32 = joined & 1 == 1 ? 0x9908_b0df : 0
      state[index] = state[(index + Self.distance) % Self.size] ^ joined >> 1 ^ twist
    }
    place = 0
  }

  /// A number from 0 to `highest`, which is below 2^32.
  private mutating func number(upTo highest: UInt32) -> UInt32 {
    guard highest > 0 else { return 0 }
    let mask = UInt32.max >> UInt32(highest.leadingZeroBitCount)
    while true {
      let value = next() & mask
      if value <= highest { return value }
    }
  }

  /// One of `count` places, as `numpy.random.choice(count, 1, replace=False)` draws it.
  ///
  /// - Precondition: the count is from 1 and below 2^32.
  package mutating func choice(of count: Int) -> Int {
    precondition(1..<Int(UInt32.max) ~= count, "a choice of \(count)")
    // Only what is swapped into the first place is wanted, but every swap takes its numbers.
    var places = Array(0..<count)
    for index in stride(from: count - 1, to: 0, by: -1) {
      places.swapAt(index, Int(number(upTo: UInt32(index))))
    }
    return places[0]
  }
}
