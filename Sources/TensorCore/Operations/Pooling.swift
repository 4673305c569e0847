/// The largest value of each channel in windows of a feature map; beyond its edges is nothing.
///
/// - Shapes: `x` [N, H, W, C] → [N, H', W', C] with H' = (H + 2 · `padding` − `window`) / `stride` + 1, rounded down.
/// - Precondition: `padding` is at most half of `window`, so that every window has a pixel.
/// - Source: `torch.nn.functional.max_pool2d`.
public func maxPooled(_ x: Tensor, window: Int, stride: Int, padding: Int) -> Tensor {
  precondition(!x.isTracked, "maxPooled has no rule for gradients")
  let (n, h, w, c) = x.dimensions4("maxPooled")
  precondition(
    stride > 0 && window > 0 && 2 * padding <= window && h + 2 * padding >= window
      && w + 2 * padding >= window && h > 0 && w > 0,
    "maxPooled: \(x.shape) in windows of \(window), stride \(stride), padding \(padding)")
  let height = (h + 2 * padding - window) / stride + 1
  let width = (w + 2 * padding - window) / stride + 1
  func reach(_ index: Int, _ size: Int) -> Range<Int> {
    let first = index * stride - padding
    return max(0, first)..<min(size, first + window)
  }
  return Tensor(shape: [n, height, width, c]) { out in
    guard let destination = out.baseAddress else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(n * height, grain: max(1, elementGrain / (width * c))) { rows in
        for row in rows {
          let image = source + row / height * h * w * c
          let lines = reach(row % height, h)
          for column in 0..<width {
            let columns = reach(column, w)
            let to = destination + (row * width + column) * c
            to.update(
              from: image + (lines.lowerBound * w + columns.lowerBound) * c, count: c)
            for y in lines {
              for x in columns {
                let from = image + (y * w + x) * c
                for k in 0..<c where from[k] > to[k] { to[k] = from[k] }
              }
            }
          }
        }
      }
    }
  }
}
