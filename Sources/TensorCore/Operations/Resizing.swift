import CKernels

/// A feature map at another size, between pixel centres by straight lines (not a smoothing filter).
///
/// - Shapes: `x` [N, H, W, C] → [N, `height`, `width`, C].
/// - Precondition: no side is 0.
/// - Source: `torch.nn.functional.interpolate`, mode bilinear, `align_corners` false, no antialiasing.
public func bilinearResized(_ x: Tensor, height: Int, width: Int) -> Tensor {
  let (n, h, w, c) = x.dimensions4("bilinearResized")
  precondition(
    h > 0 && w > 0 && height > 0 && width > 0 && max(h, w) <= Int(UInt32.max),
    "bilinearResized: \(x.shape) to \(height)×\(width)")
  if height == h && width == w { return x }
  let rows = BilinearTaps(from: h, to: height)
  let columns = BilinearTaps(from: w, to: width)
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.resizing)
  defer { timing.end() }
  return Tensor(shape: [n, height, width, c]) { out in
    guard let destination = out.baseAddress, c > 0 else { return }
    x.withUnsafePointer { source in
      Parallel.forEach(n * height, scratch: w * c) { piece, mixed in
        let (sample, y) = (piece / height, piece % height)
        let image = source + sample * h * w * c
        ck_bilinear_row(
          kernels, image + Int(rows.first[y]) * w * c, image + Int(rows.second[y]) * w * c,
          rows.fraction[y], w, c, columns.first, columns.second, columns.fraction, width, mixed,
          destination + piece * width * c)
      }
    }
  }
}

/// For each place along a resized side: the two pixels it lies between, and how far it is from the first.
private struct BilinearTaps {
  var first: [UInt32] = []
  var second: [UInt32] = []
  var fraction: [Float] = []

  init(from size: Int, to count: Int) {
    let scale = Double(size) / Double(count)
    for index in 0..<count {
      let place = min(max((Double(index) + 0.5) * scale - 0.5, 0), Double(size - 1))
      let left = Int(place)
      first.append(UInt32(left))
      second.append(UInt32(min(left + 1, size - 1)))
      fraction.append(Float(place - Double(left)))
    }
  }
}
