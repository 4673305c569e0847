import CKernels

/// The exponentials of the last axis over their sum.
///
/// - Shapes: [..., D] → the same.
/// - Gradient: y (g − Σ g y).
public func softmax(_ x: Tensor) -> Tensor {
  let d = x.lastDimension
  let result = Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, out.count > 0 else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(out.count / d, grain: max(1, elementGrain / d)) { rows in
        let first = rows.lowerBound * d
        ck_softmax(source + first, rows.count, d, destination + first)
      }
    }
  }
  guard x.isTracked else { return result }
  return result.recorded("softmax", from: [x]) { gradient in
    let slopes = Tensor(shape: gradient.shape) { out in
      guard let destination = out.baseAddress, out.count > 0 else { return }
      result.withUnsafePointer { value in
        gradient.withUnsafePointer { gradient in
          Parallel.forRanges(out.count / d, grain: max(1, elementGrain / d)) { rows in
            let first = rows.lowerBound * d
            ck_softmax_gradient(
              value + first, gradient + first, rows.count, d, destination + first)
          }
        }
      }
    }
    return [slopes]
  }
}
