import Checkpoints
import TensorCore

/// A weight divided by the estimate of its largest singular value that one forward pass makes from the stored vector.
///
/// Training stores the vector after each pass, so the estimate is good; it is a function of the file and the same for
/// both kinds of statistics.
///
/// - Weights: `u0` [1, O]; `sv0` [1], the last estimate, is stored for logs only.
/// - Source: BigGAN's `SN`, one singular value and one power iteration a pass.
enum SpectralNorm {
  /// The smallest length a vector is divided by.
  private static let epsilon = 1e-4

  /// - Shapes: `weight` [O, …], taken as a matrix of O rows.
  /// - Returns: the weight divided, and the vector that the next pass in training begins with [1, O].
  /// - Gradient: with the vectors u, v as constants, (g − (Σ g Ŵ) u vᵀ) / σ for the weight, as in the reference.
  static func normalised(
    _ weight: Tensor, _ weights: WeightScope
  ) throws -> (weight: Tensor, next: Tensor) {
    let rows = weight.shape[0]
    let columns = weight.count / max(rows, 1)
    let start = try weights.tensor("u0", [1, rows])
    weights.ignore("sv0")
    guard !weights.isAudit else { return (weight, start) }
    let (value, left, right) = singularValue(
      weight, rows: rows, columns: columns, from: start.values)
    guard value.isFinite, value != 0 else {
      throw CheckpointError(
        .malformed, file: weights.file, key: "\(weights.path).u0",
        "the weight's largest singular value comes out as \(value); the file is damaged")
    }
    let divided = weight.untracked().mapped { Float(Double($0) / value) }
    let next = Tensor(left.map { Float($0) }, shape: [1, rows])
    let tracked = divided.recorded("spectral norm", from: [weight]) { gradient in
      let along = (gradient * divided).sum().scalarValue
      let direction = Tensor(shape: gradient.shape) { out in
        for index in 0..<out.count {
          out[index] = Float(left[index / columns] * right[index % columns])
        }
      }
      return [combined(gradient, Float(1 / value), direction, Float(-Double(along) / value))]
    }
    return (tracked, next)
  }

  private static func singularValue(
    _ weight: Tensor, rows: Int, columns: Int, from start: [Float]
  ) -> (value: Double, left: [Double], right: [Double]) {
    weight.withUnsafeBuffer { matrix in
      var right = [Double](repeating: 0, count: columns)
      for row in 0..<rows {
        let factor = Double(start[row])
        for column in 0..<columns {
          right[column] += factor * Double(matrix[row * columns + column])
        }
      }
      normalise(&right)
      let image = (0..<rows).map { row in
        (0..<columns).reduce(0.0) { $0 + Double(matrix[row * columns + $1]) * right[$1] }
      }
      var left = image
      normalise(&left)
      return (zip(image, left).reduce(0) { $0 + $1.0 * $1.1 }, left, right)
    }
  }

  private static func normalise(_ vector: inout [Double]) {
    let length = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), epsilon)
    for index in vector.indices { vector[index] /= length }
  }
}
