import CKernels

/// Convolution of every channel alone with one and the same kernel of 3×3 taps.
///
/// - Shapes: `x` [H, W, C] → [H + above + below − 2, W, C]; a column of zeros stands on either side.
/// - Parameters:
///   - x: a map, or a band of its rows.
///   - kernel: nine taps, row by row.
///   - bias: added to every value.
///   - above: rows of zeros above, 0 or 1.
///   - below: rows of zeros below, 0 or 1.
/// - Returns: the convolved rows.
public func sharedConvolution(
  _ x: Tensor, kernel: [Float], bias: Float, above: Int, below: Int
) -> Tensor {
  let (h, w, c) = x.dimensions3("sharedConvolution")
  let height = h + above + below - 2
  precondition(
    kernel.count == 9 && (0...1).contains(above) && (0...1).contains(below) && height >= 0 && w > 0
      && !x.isTracked,
    "sharedConvolution: \(x.shape), \(kernel.count) taps, \(above) and \(below) rows of zeros")
  let timing = OperationTiming(.convolution)
  defer { timing.end() }
  return Tensor(shape: [height, w, c]) { out in
    guard let destination = out.baseAddress, out.count > 0 else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(height, grain: max(1, elementGrain / (w * c))) { rows in
        for row in rows {
          let to = destination + row * w * c
          to.update(repeating: bias, count: w * c)
          for (tap, weight) in kernel.enumerated() {
            let (from, shift) = (row - above + tap / 3, tap % 3 - 1)
            guard 0..<h ~= from else { continue }
            let line = source + from * w * c
            ck_add_scaled(
              line + max(shift, 0) * c, weight, (w - abs(shift)) * c, to + max(-shift, 0) * c)
          }
        }
      }
    }
  }
}
