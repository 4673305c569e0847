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
    let z = s * s
    var sum = 1.0 / 15
    sum = sum * z + 1.0 / 13
    sum = sum * z + 1.0 / 11
    sum = sum * z + 1.0 / 9
    sum = sum * z + 1.0 / 7
    sum = sum * z + 1.0 / 5
    sum = sum * z + 1.0 / 3
    sum = sum * z + 1
    return exponent + 2 * s * sum * 1.4426950408889634
  }
}
