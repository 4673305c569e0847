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
  static func normalised(_ weight: Tensor, _ weights: WeightScope) throws -> Tensor {
    let rows = weight.shape[0]
    let columns = weight.count / max(rows, 1)
    let start = try weights.tensor("u0", [1, rows])
    weights.ignore("sv0")
    guard !weights.isAudit else { return weight }
    let value = singularValue(weight, rows: rows, columns: columns, from: start.values)
    guard value.isFinite, value != 0 else {
      throw CheckpointError(
        .malformed, file: weights.file, key: "\(weights.path).u0",
        "the weight's largest singular value comes out as \(value); the file is damaged")
    }
    return weight.mapped { Float(Double($0) / value) }
  }

  private static func singularValue(
    _ weight: Tensor, rows: Int, columns: Int, from start: [Float]
  ) -> Double {
    weight.withUnsafeBuffer { matrix in
      var right = [Double](repeating: 0, count: columns)
      for row in 0..<rows {
        let factor = Double(start[row])
        for column in 0..<columns { right[column] += factor * Double(matrix[row * columns + column]) }
      }
      normalise(&right)
      let image = (0..<rows).map { row in
        (0..<columns).reduce(0.0) { $0 + Double(matrix[row * columns + $1]) * right[$1] }
      }
      var left = image
      normalise(&left)
      return zip(image, left).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  private static func normalise(_ vector: inout [Double]) {
    let length = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), epsilon)
    for index in vector.indices { vector[index] /= length }
  }
}
