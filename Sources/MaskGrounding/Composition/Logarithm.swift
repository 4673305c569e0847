/// Logarithms by arithmetic alone, so that scores have the same bytes with every C library.
enum Logarithm {
  /// The entropy of an event of this probability, in bits, 0...1.
  static func entropy(of probability: Double) -> Double {
    guard probability > 0 && probability < 1 else { return 0 }
    let other = 1 - probability
    return -probability * base2(probability) - other * base2(other)
  }

  /// The logarithm to base 2 of a positive, finite, normal number, within 1e-12.
  static func base2(_ value: Double) -> Double {
    var (exponent, significand) = (Double(value.exponent), value.significand)
    if significand > 1.4142135623730951 {
      significand /= 2
      exponent += 1
    }
    // ln((1 + s) / (1 - s)) = 2 (s + s³/3 + s⁵/5 + …), |s| < 0.172.
    let s = (significand - 1) / (significand + 1)
    var (power, sum) = (s, 0.0)
    for divisor in stride(from: 1.0, through: 15, by: 2) {
      sum += power / divisor
      power *= s * s
    }
    return exponent + 2 * sum * 1.4426950408889634
  }
}
