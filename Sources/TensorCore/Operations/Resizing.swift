import CKernels

/// A feature map at another size, between pixel centres by straight lines (not a smoothing filter).
///
/// - Shapes: `x` [N, H, W, C] → [N, `height`, `width`, C].
/// - Precondition: no side is 0.
/// - Parameters:
///   - x: the feature map.
///   - height: rows of the result.
///   - width: its columns.
///   - alignsCorners: whether the first and last pixels' centres stay where they are, so that new pixels are
///     (H − 1) / (`height` − 1) old ones apart; otherwise the map's edges stay, and they are H / `height` apart.
/// - Returns: the resized map.
/// - Gradient: each pixel's, shared among the pixels it was mixed from as it was mixed.
/// - Source: `torch.nn.functional.interpolate`, mode bilinear, `align_corners` as given, no antialiasing.
public func bilinearResized(
  _ x: Tensor, height: Int, width: Int, alignsCorners: Bool = false
) -> Tensor {
  let (n, h, w, c) = x.dimensions4("bilinearResized")
  precondition(
    h > 0 && w > 0 && height > 0 && width > 0 && max(h, w) <= Int(UInt32.max),
    "bilinearResized: \(x.shape) to \(height)×\(width)")
  if height == h && width == w { return x }
  let rows = BilinearTaps(from: h, to: height, alignsCorners: alignsCorners)
  let columns = BilinearTaps(from: w, to: width, alignsCorners: alignsCorners)
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.resizing)
  defer { timing.end() }
  let result = Tensor(shape: [n, height, width, c]) { out in
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
  guard x.isTracked else { return result }
  let shape = x.shape
  return result.recorded("bilinearResized", from: [x]) { gradient in
    [bilinearGradient(gradient, rows: rows, columns: columns, shape: shape)]
  }
}

/// Along each row first, then each row of the result gathers from the rows it was mixed into, in their order.
private func bilinearGradient(
  _ gradient: Tensor, rows: BilinearTaps, columns: BilinearTaps, shape: [Int]
) -> Tensor {
  let (n, height, width, c) = gradient.dimensions4("bilinearResized")
  let (h, w) = (shape[1], shape[2])
  let narrow = Tensor(shape: [n * height, w * c]) { out in
    guard let destination = out.baseAddress else { return }
    out.update(repeating: 0)
    gradient.withUnsafePointer { source in
      Parallel.forRanges(n * height, grain: max(1, elementGrain / (width * c))) { range in
        for row in range {
          ck_bilinear_row_gradient(
            source + row * width * c, width, c, columns.first, columns.second, columns.fraction,
            destination + row * w * c)
        }
      }
    }
  }
  var uses = [[(row: Int, weight: Float)]](repeating: [], count: h)
  for y in 0..<height {
    uses[Int(rows.first[y])].append((y, 1 - rows.fraction[y]))
    uses[Int(rows.second[y])].append((y, rows.fraction[y]))
  }
  return Tensor(shape: shape) { out in
    guard let destination = out.baseAddress else { return }
    out.update(repeating: 0)
    narrow.withUnsafePointer { source in
      Parallel.forRanges(n * h, grain: max(1, elementGrain / (w * c))) { range in
        for row in range {
          for use in uses[row % h] {
            ck_add_scaled(
              source + (row / h * height + use.row) * w * c, use.weight, w * c,
              destination + row * w * c)
          }
        }
      }
    }
  }
}

/// A feature map at another size, each pixel a copy of the one it falls into.
///
/// - Shapes: `x` [N, H, W, C] → [N, `height`, `width`, C].
/// - Precondition: no side is 0.
/// - Gradient: each pixel's, added to the pixel it is a copy of.
/// - Source: `torch.nn.functional.interpolate`, mode nearest: row ⌊y · H / `height`⌋.
public func nearestResized(_ x: Tensor, height: Int, width: Int) -> Tensor {
  let (_, h, w, _) = x.dimensions4("nearestResized")
  precondition(
    h > 0 && w > 0 && height > 0 && width > 0, "nearestResized: \(x.shape) to \(height)×\(width)")
  return picked(
    x, rows: (0..<height).map { $0 * h / height }, columns: (0..<width).map { $0 * w / width })
}

/// A feature map with its last row and column repeated to a larger size.
///
/// - Shapes: `x` [N, H, W, C] → [N, `height`, `width`, C].
/// - Gradient: each pixel's, added to the pixel it is a copy of.
public func edgeExtended(_ x: Tensor, height: Int, width: Int) -> Tensor {
  let (_, h, w, _) = x.dimensions4("edgeExtended")
  precondition(
    height >= h && width >= w && h > 0 && w > 0, "edgeExtended: \(x.shape) to \(height)×\(width)")
  return picked(
    x, rows: (0..<height).map { min($0, h - 1) }, columns: (0..<width).map { min($0, w - 1) })
}

/// Rows and columns of a feature map by number.
private func picked(_ x: Tensor, rows: [Int], columns: [Int]) -> Tensor {
  let (n, h, w, c) = x.dimensions4("picked")
  if rows == Array(0..<h) && columns == Array(0..<w) { return x }
  let (height, width) = (rows.count, columns.count)
  let result = x.withUnsafeBuffer { source in
    Tensor(shape: [n, height, width, c]) { out in
      for row in 0..<n * height {
        let from = (row / height * h + rows[row % height]) * w
        for x in 0..<width {
          let (to, from) = ((row * width + x) * c, (from + columns[x]) * c)
          for k in 0..<c { out[to + k] = source[from + k] }
        }
      }
    }
  }
  guard x.isTracked else { return result }
  let shape = x.shape
  return result.recorded("picked", from: [x]) { gradient in
    let sum = gradient.withUnsafeBuffer { source in
      Tensor(shape: shape) { out in
        out.update(repeating: 0)
        for row in 0..<n * height {
          let to = (row / height * h + rows[row % height]) * w
          for x in 0..<width {
            let (from, to) = ((row * width + x) * c, (to + columns[x]) * c)
            for k in 0..<c { out[to + k] += source[from + k] }
          }
        }
      }
    }
    return [sum]
  }
}

/// For each place along a resized side: the two pixels it lies between, and how far it is from the first.
private struct BilinearTaps: Sendable {
  var first: [UInt32] = []
  var second: [UInt32] = []
  var fraction: [Float] = []

  init(from size: Int, to count: Int, alignsCorners: Bool) {
    let scale =
      alignsCorners ? Double(size - 1) / Double(max(count - 1, 1)) : Double(size) / Double(count)
    for index in 0..<count {
      let centre = alignsCorners ? Double(index) * scale : (Double(index) + 0.5) * scale - 0.5
      let place = min(max(centre, 0), Double(size - 1))
      let left = Int(place)
      first.append(UInt32(left))
      second.append(UInt32(min(left + 1, size - 1)))
      fraction.append(Float(place - Double(left)))
    }
  }
}
