/// Means of scores.
enum Mean {
  /// The mean; nil of nothing.
  static func of(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}
