public import TensorCore

/// Classifier-free guidance: the prediction with the text, pushed away from the one without.
///
/// - Source: Ho and Salimans, "Classifier-free diffusion guidance" (2022); the rescaling is section 3.4 of Lin
///   and others, "Common diffusion noise schedules and sample steps are flawed" (2023).
public struct Guidance: Sendable, Equatable {
  /// How far to push; at 1 or below the prediction with the text is taken as it is.
  public var scale: Float
  /// How much of the contrast that guidance adds is taken back, 0...1.
  public var rescale: Float

  /// Names the strength.
  public init(scale: Float, rescale: Float = 0) {
    self.scale = scale
    self.rescale = rescale
  }

  /// Whether predictions without the text are needed.
  public var isOn: Bool { scale > 1 }

  /// Mixes the two predictions.
  ///
  /// - Shapes: both [N, H, W, C] → the same.
  public func combine(unconditional: Tensor, conditional: Tensor) -> Tensor {
    precondition(
      unconditional.shape == conditional.shape,
      "Guidance: \(unconditional.shape) and \(conditional.shape) differ")
    let scale = scale
    let mixed = unconditional.withUnsafeBuffer { without in
      conditional.withUnsafeBuffer { with in
        Tensor(shape: conditional.shape) { out in
          for i in 0..<out.count { out[i] = without[i] + scale * (with[i] - without[i]) }
        }
      }
    }
    return rescale > 0 ? rescaled(mixed, like: conditional) : mixed
  }

  private func rescaled(_ mixed: Tensor, like conditional: Tensor) -> Tensor {
    let rescale = rescale
    return joinedRows(
      (0..<mixed.shape[0]).map { sample in
        let own = mixed.rows(sample..<sample + 1)
        let ratio =
          standardDeviation(conditional.rows(sample..<sample + 1)) / standardDeviation(own)
        return own.mapped { rescale * ($0 * ratio) + (1 - rescale) * $0 }
      })
  }

  /// Unbiased, over all elements.
  private func standardDeviation(_ x: Tensor) -> Float {
    x.withUnsafeBuffer { values in
      var mean = 0.0
      for value in values { mean += Double(value) }
      mean /= Double(values.count)
      var squares = 0.0
      for value in values { squares += (Double(value) - mean) * (Double(value) - mean) }
      return Float((squares / Double(values.count - 1)).squareRoot())
    }
  }
}
