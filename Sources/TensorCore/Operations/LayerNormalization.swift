import CKernels

/// Layer normalisation of the last axis.
///
/// - Shapes: `x` [..., D], `scale` and `shift` [D] → [..., D].
/// - Gradient: as that of ``groupNorm(_:groups:scale:shift:epsilon:thenSiLU:)``, means over the last axis.
public func layerNorm(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> Tensor {
  let d = x.lastDimension
  precondition(
    scale.shape == [d] && shift.shape == [d],
    "layerNorm: \(x.shape), scale \(scale.shape), shift \(shift.shape)")
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.layerNorm)
  defer { timing.end() }
  let result = Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, d > 0 else { return }
    x.withUnsafePointer { source in
      scale.withUnsafePointer { scale in
        shift.withUnsafePointer { shift in
          Parallel.forRanges(x.count / d, grain: max(1, 32_768 / d)) { rows in
            ck_layer_norm(
              kernels, source + rows.lowerBound * d, scale, shift, epsilon, rows.count, d,
              destination + rows.lowerBound * d)
          }
        }
      }
    }
  }
  guard x.isTracked || scale.isTracked || shift.isTracked else { return result }
  let (input, factor) = (x.untracked(), scale.untracked())
  return result.recorded("layerNorm", from: [x, scale, shift]) {
    layerNormGradients(input, $0, scale: factor, epsilon: epsilon)
  }
}

private func layerNormGradients(
  _ x: Tensor, _ gradient: Tensor, scale: Tensor, epsilon: Float
) -> [Tensor?] {
  let d = x.lastDimension
  let rows = x.count / max(d, 1)
  // Blocks of fixed size, so that sums do not depend on the thread count.
  let blockRows = 64
  let blocks = (rows + blockRows - 1) / blockRows
  var (forScale, forShift) = ([Double](repeating: 0, count: d), [Double](repeating: 0, count: d))
  let forInput = Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, d > 0 else { return }
    withPooledDoubles(max(blocks, 1) * 2 * d) { sums in
      x.withUnsafePointer { source in
        gradient.withUnsafePointer { gradient in
          scale.withUnsafePointer { scale in
            Parallel.forEach(blocks) { block, _ in
              let first = block * blockRows
              ck_layer_norm_gradient(
                source + first * d, scale, epsilon, gradient + first * d,
                min(blockRows, rows - first), d, destination + first * d, sums + block * 2 * d,
                sums + block * 2 * d + d)
            }
          }
        }
      }
      for block in 0..<blocks {
        for k in 0..<d {
          forScale[k] += sums[block * 2 * d + k]
          forShift[k] += sums[block * 2 * d + d + k]
        }
      }
    }
  }
  return [
    forInput, Tensor(forScale.map { Float($0) }, shape: [d]),
    Tensor(forShift.map { Float($0) }, shape: [d]),
  ]
}
