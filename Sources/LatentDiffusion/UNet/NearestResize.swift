import TensorCore

/// The map at another size, each pixel taken from its nearest one as PyTorch's `interpolate` rounds.
///
/// - Shapes: `x` [N, H, W, C] → [N, height, width, C].
func nearestResized(_ x: Tensor, height: Int, width: Int) -> Tensor {
  let (n, h, w, c) = x.dimensions4("nearestResized")
  let rows = nearestSources(from: h, to: height)
  let columns = nearestSources(from: w, to: width)
  return x.withUnsafeBuffer { source in
    Tensor(shape: [n, height, width, c]) { out in
      var target = 0
      for sample in 0..<n {
        for row in rows {
          for column in columns {
            let start = ((sample * h + row) * w + column) * c
            for channel in 0..<c { out[target + channel] = source[start + channel] }
            target += c
          }
        }
      }
    }
  }
}

/// For each of `to` places, the one of `from` places it is taken from; single precision as in PyTorch.
private func nearestSources(from: Int, to: Int) -> [Int] {
  let scale = Float(from) / Float(to)
  return (0..<to).map { min(Int((Float($0) * scale).rounded(.down)), from - 1) }
}
