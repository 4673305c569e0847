import CKernels

extension Tensor {
  /// The tensor with `body` applied to every element; for small tensors, not for hot paths.
  public func mapped(_ body: (Float) -> Float) -> Tensor {
    withUnsafeBuffer { x in
      Tensor(shape: shape) { out in
        for i in 0..<x.count { out[i] = body(x[i]) }
      }
    }
  }

  /// Sum of two tensors of one shape.
  public static func + (a: Tensor, b: Tensor) -> Tensor { combined(a, 1, b, 1) }

  /// Difference of two tensors of one shape.
  public static func - (a: Tensor, b: Tensor) -> Tensor { combined(a, 1, b, -1) }

  /// A tensor times a number.
  public static func * (factor: Float, a: Tensor) -> Tensor { combined(a, factor, a, 0) }
}

/// `alpha · a + beta · b`, the step of every sampler.
///
/// - Shapes: `a` and `b` the same → the same.
public func combined(_ a: Tensor, _ alpha: Float, _ b: Tensor, _ beta: Float) -> Tensor {
  precondition(a.shape == b.shape, "combined: \(a.shape) and \(b.shape) differ")
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.sum)
  defer { timing.end() }
  return Tensor(shape: a.shape) { out in
    guard let destination = out.baseAddress else { return }
    a.withUnsafePointer { x in
      b.withUnsafePointer { y in
        Parallel.forRanges(a.count, grain: elementGrain) { range in
          let first = range.lowerBound
          ck_combine(kernels, x + first, alpha, y + first, beta, range.count, destination + first)
        }
      }
    }
  }
}
