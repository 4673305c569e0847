import TensorCore

/// Attention of layers of one level, added up over layers and steps.
struct AttentionSum {
  /// How many were added.
  private(set) var count = 0
  /// Rows of the level's map.
  private(set) var height = 0
  /// Columns of the level's map.
  private(set) var width = 0
  private var total: Tensor?

  /// Adds [n, H, W, S].
  mutating func add(_ means: Tensor) {
    let (_, h, w, _) = means.dimensions4("attention")
    (height, width, count) = (h, w, count + 1)
    total = total.map { $0 + means } ?? means
  }

  /// The mean of a sample [H, W, S].
  func mean(_ sample: Int) -> Tensor {
    guard let total else { preconditionFailure("the mean of no attention") }
    let row = total.rows(sample..<sample + 1)
    return (1 / Float(count)) * row.reshaped(Array(row.shape.dropFirst()))
  }

  /// The mean of a sample over some of the S tokens, H · W values in rows.
  func mean(_ sample: Int, tokens: [Int]) -> [Float] {
    guard let total else { preconditionFailure("the mean of no attention") }
    let tokenCount = total.lastDimension
    precondition(
      tokens.allSatisfy { $0 >= 0 && $0 < tokenCount }, "tokens \(tokens) of \(tokenCount)")
    let factor = 1 / Float(count * tokens.count)
    return total.rows(sample..<sample + 1).withUnsafeBuffer { values in
      (0..<height * width).map { pixel in
        factor * tokens.reduce(0) { $0 + values[pixel * tokenCount + $1] }
      }
    }
  }
}
