/// The mean of each channel in squares of a feature map that lie side by side; rows and columns that fill no square are
/// left out.
///
/// - Shapes: `x` [N, H, W, C] → [N, ⌊H / `size`⌋, ⌊W / `size`⌋, C].
/// - Precondition: there is a square.
/// - Source: `torch.nn.AvgPool2d`.
public func averagePooled(_ x: Tensor, size: Int) -> Tensor {
  let (n, h, w, c) = x.dimensions4("averagePooled")
  precondition(
    size > 0 && h >= size && w >= size && !x.isTracked,
    "averagePooled: \(x.shape) in squares of \(size); it has no rule for gradients")
  if size == 1 { return x }
  let (height, width) = (h / size, w / size)
  let share = 1 / Float(size * size)
  return Tensor(shape: [n, height, width, c]) { out in
    guard let destination = out.baseAddress else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(n * height, grain: max(1, elementGrain / max(w * c * size, 1))) { rows in
        for row in rows {
          let first = (row / height * h + row % height * size) * w
          for column in 0..<width {
            let to = destination + (row * width + column) * c
            let corner = source + (first + column * size) * c
            for k in 0..<c {
              var sum: Float = 0
              for y in 0..<size {
                for x in 0..<size { sum += corner[(y * w + x) * c + k] }
              }
              to[k] = sum * share
            }
          }
        }
      }
    }
  }
}
