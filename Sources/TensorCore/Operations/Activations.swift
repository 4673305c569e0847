import CKernels

/// x · sigmoid(x).
public func silu(_ x: Tensor) -> Tensor { activated(x, CK_SILU) }

/// The larger of x and 0.
public func relu(_ x: Tensor) -> Tensor { activated(x, CK_RELU) }

/// 1 / (1 + e^(−x)).
public func sigmoid(_ x: Tensor) -> Tensor { activated(x, CK_SIGMOID) }

/// The exact GELU, x · Φ(x), by the error function.
public func gelu(_ x: Tensor) -> Tensor { activated(x, CK_GELU) }

/// CLIP's approximation of GELU, x · sigmoid(1.702 x).
public func quickGELU(_ x: Tensor) -> Tensor { activated(x, CK_QUICK_GELU) }

/// The gated GELU of diffusers' `GEGLU`: the first half of the last axis times the GELU of the second.
///
/// - Shapes: `x` [..., 2D] → [..., D].
public func geglu(_ x: Tensor) -> Tensor {
  precondition(x.lastDimension % 2 == 0, "geglu: the last axis of \(x.shape) is odd")
  let d = x.lastDimension / 2
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.geglu)
  defer { timing.end() }
  return Tensor(shape: x.shape.dropLast() + [d]) { out in
    guard let destination = out.baseAddress, d > 0 else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(x.count / (2 * d), grain: max(1, elementGrain / d)) { rows in
        ck_geglu(
          kernels, source + rows.lowerBound * 2 * d, rows.count, d,
          destination + rows.lowerBound * d)
      }
    }
  }
}

/// Elements a thread takes at a time: enough that handing them out costs nothing.
let elementGrain = 16_384

private func activated(_ x: Tensor, _ kind: ck_activation) -> Tensor {
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.activation)
  defer { timing.end() }
  return Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(x.count, grain: elementGrain) { range in
        ck_activate(
          kernels, kind, source + range.lowerBound, range.count, destination + range.lowerBound)
      }
    }
  }
}
