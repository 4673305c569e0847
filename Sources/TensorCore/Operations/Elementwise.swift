import CKernels

extension Tensor {
  /// The tensor with `body` applied to every element; for small tensors, not for hot paths.
  public func mapped(_ body: (Float) -> Float) -> Tensor {
    precondition(!isTracked, "mapped: \(shape) is tracked, and any function has no rule")
    return withUnsafeBuffer { x in
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
/// - Gradient: alpha for a, beta for b.
public func combined(_ a: Tensor, _ alpha: Float, _ b: Tensor, _ beta: Float) -> Tensor {
  precondition(a.shape == b.shape, "combined: \(a.shape) and \(b.shape) differ")
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.sum)
  defer { timing.end() }
  let result = pointwise(a, b) { ck_combine(kernels, $0, alpha, $1, beta, $2, $3) }
  guard a.isTracked || b.isTracked else { return result }
  return result.recorded("combined", from: [a, b]) { gradient in
    [alpha == 1 ? gradient : alpha * gradient, beta == 1 ? gradient : beta * gradient]
  }
}

/// Product of two tensors, element by element.
///
/// - Shapes: `b` of `a`'s shape, or of its last axes, repeated along the others → `a`'s.
/// - Gradient: b for a; a for b, summed where b is repeated.
public func * (a: Tensor, b: Tensor) -> Tensor {
  let result = repeated(a, b, "product") { ck_times($0, $1, $2, $3) }
  guard a.isTracked || b.isTracked else { return result }
  let (left, right) = (a.untracked(), b.untracked())
  let wanted = (a: a.isTracked, b: b.isTracked)
  return result.recorded("product of elements", from: [a, b]) { gradient in
    [
      wanted.a ? gradient * right : nil,
      wanted.b ? summedToFit(gradient * left, right.shape) : nil,
    ]
  }
}

/// A tensor plus one that is repeated along the leading axes: a bias, an embedding of positions.
///
/// - Shapes: `b` of `a`'s last axes → `a`'s.
/// - Gradient: 1 for a; 1 for b, summed where b is repeated.
public func addingRepeated(_ a: Tensor, _ b: Tensor) -> Tensor {
  let result = repeated(a, b, "sum") { x, y, count, out in
    out.update(from: x, count: count)
    ck_add_scaled(y, 1, count, out)
  }
  guard a.isTracked || b.isTracked else { return result }
  let shape = b.shape
  let isWanted = b.isTracked
  return result.recorded("adding repeated", from: [a, b]) { gradient in
    [gradient, isWanted ? summedToFit(gradient, shape) : nil]
  }
}

/// Works through `a` in runs as long as `b`.
private func repeated(
  _ a: Tensor, _ b: Tensor, _ label: String,
  _ body: (
    UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>
  ) -> Void
) -> Tensor {
  precondition(
    a.shape.suffix(b.rank) == b.shape[...], "\(label): \(b.shape) is no end of \(a.shape)")
  if a.count == b.count { return pointwise(a, b.reshaped(a.shape), body) }
  let width = b.count
  return Tensor(shape: a.shape) { out in
    guard let destination = out.baseAddress, width > 0 else { return }
    a.withUnsafePointer { a in
      b.withUnsafePointer { b in
        Parallel.forRanges(out.count / width, grain: max(1, elementGrain / width)) { rows in
          for row in rows { body(a + row * width, b, width, destination + row * width) }
        }
      }
    }
  }
}

/// The sum over the leading axes that a shape lacks.
private func summedToFit(_ x: Tensor, _ shape: [Int]) -> Tensor {
  guard x.shape != shape else { return x }
  return columnSums(x, columns: shape.reduce(1, *)).reshaped(shape)
}
