import CKernels

/// x · sigmoid(x).
///
/// - Gradient: s (1 + x (1 − s)), s = sigmoid(x).
public func silu(_ x: Tensor) -> Tensor {
  slope("silu", activated(x, CK_SILU), of: x, CK_SLOPE_SILU, at: x)
}

/// The larger of x and 0.
///
/// - Gradient: 1 where x > 0, else 0.
public func relu(_ x: Tensor) -> Tensor {
  let y = activated(x, CK_RELU)
  return slope("relu", y, of: x, CK_SLOPE_RELU, at: y)
}

/// x, times `leak` where it is negative.
///
/// - Gradient: 1 where x > 0, else `leak`.
public func leakyReLU(_ x: Tensor, leak: Float = 0.01) -> Tensor {
  let y = pointwise(x) { ck_leaky($0, leak, $1, $2) }
  return slope("leakyReLU", y, of: x, CK_SLOPE_RELU, at: x, leak: leak)
}

/// 1 / (1 + e^(−x)).
///
/// - Gradient: y (1 − y).
public func sigmoid(_ x: Tensor) -> Tensor {
  let y = activated(x, CK_SIGMOID)
  return slope("sigmoid", y, of: x, CK_SLOPE_SIGMOID, at: y)
}

/// The hyperbolic tangent.
///
/// - Gradient: 1 − y².
public func tanh(_ x: Tensor) -> Tensor {
  let y = pointwise(x) { ck_tanh($0, $1, $2) }
  return slope("tanh", y, of: x, CK_SLOPE_TANH, at: y)
}

/// The exact GELU, x · Φ(x), by the error function.
///
/// - Gradient: Φ(x) + x φ(x).
public func gelu(_ x: Tensor) -> Tensor {
  slope("gelu", activated(x, CK_GELU), of: x, CK_SLOPE_GELU, at: x)
}

/// CLIP's approximation of GELU, x · sigmoid(1.702 x).
///
/// - Gradient: s + 1.702 x s (1 − s), s = sigmoid(1.702 x).
public func quickGELU(_ x: Tensor) -> Tensor {
  slope("quickGELU", activated(x, CK_QUICK_GELU), of: x, CK_SLOPE_QUICK_GELU, at: x)
}

/// The gated GELU of diffusers' `GEGLU`: the first half of the last axis times the GELU of the second.
///
/// - Shapes: `x` [..., 2D] → [..., D].
/// - Gradient: gelu(b) for the first half a, a · (Φ(b) + b φ(b)) for the second half b.
public func geglu(_ x: Tensor) -> Tensor {
  precondition(x.lastDimension % 2 == 0, "geglu: the last axis of \(x.shape) is odd")
  let d = x.lastDimension / 2
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.geglu)
  defer { timing.end() }
  let result = Tensor(shape: x.shape.dropLast() + [d]) { out in
    guard let destination = out.baseAddress, d > 0 else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(x.count / (2 * d), grain: max(1, elementGrain / d)) { rows in
        ck_geglu(
          kernels, source + rows.lowerBound * 2 * d, rows.count, d,
          destination + rows.lowerBound * d)
      }
    }
  }
  guard x.isTracked else { return result }
  let argument = x.untracked()
  return result.recorded("geglu", from: [x]) { [gegluGradient(argument, $0, width: d)] }
}

private func gegluGradient(_ x: Tensor, _ gradient: Tensor, width d: Int) -> Tensor {
  Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, d > 0 else { return }
    x.withUnsafePointer { source in
      gradient.withUnsafePointer { gradient in
        Parallel.forRanges(x.count / (2 * d), grain: max(1, elementGrain / d)) { rows in
          let first = rows.lowerBound * d
          ck_geglu_gradient(
            source + 2 * first, gradient + first, rows.count, d, destination + 2 * first)
        }
      }
    }
  }
}

/// Elements a thread takes at a time: enough that handing them out costs nothing.
let elementGrain = 16_384

private func activated(_ x: Tensor, _ kind: ck_activation) -> Tensor {
  let kernels = KernelLevel.kernels
  return pointwise(x) { ck_activate(kernels, kind, $0, $1, $2) }
}

/// A function of every element, by a body that takes a run of them.
private func pointwise(
  _ x: Tensor,
  _ body: (_ x: UnsafePointer<Float>, _ count: Int, _ out: UnsafeMutablePointer<Float>) -> Void
) -> Tensor {
  let timing = OperationTiming(.activation)
  defer { timing.end() }
  return Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(x.count, grain: elementGrain) { range in
        body(source + range.lowerBound, range.count, destination + range.lowerBound)
      }
    }
  }
}

/// A function of two tensors of one shape, by a body that takes a run of their elements.
func pointwise(
  _ a: Tensor, _ b: Tensor,
  _ body: (
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int,
    _ out: UnsafeMutablePointer<Float>
  ) -> Void
) -> Tensor {
  Tensor(shape: a.shape) { out in
    guard let destination = out.baseAddress else { return }
    a.withUnsafePointer { a in
      b.withUnsafePointer { b in
        Parallel.forRanges(out.count, grain: elementGrain) { range in
          let first = range.lowerBound
          body(a + first, b + first, range.count, destination + first)
        }
      }
    }
  }
}

/// `y`, a function of `x` whose slope is known at `place`, with its rule: gradient · slope.
private func slope(
  _ operation: String, _ y: Tensor, of x: Tensor, _ kind: ck_slope, at place: Tensor,
  leak: Float = 0
) -> Tensor {
  guard x.isTracked else { return y }
  let place = place.untracked()
  return y.recorded(operation, from: [x]) { gradient in
    [pointwise(place, gradient) { ck_slope_times(kind, $0, $1, leak, $2, $3) }]
  }
}
