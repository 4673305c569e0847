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
  let result = Tensor(shape: [n, height, width, c]) { out in
    mixRows(
      x, stride: h, rows, columns, width: w, channels: c, into: out.baseAddress, width,
      samples: n)
  }
  guard x.isTracked else { return result }
  let shape = x.shape
  return result.recorded("bilinearResized", from: [x]) { gradient in
    [bilinearGradient(gradient, rows: rows, columns: columns, shape: shape)]
  }
}

/// The rows of a map that some rows of its resized version are mixed from.
///
/// - Precondition: `rows` are some of 0 ..< `height`, and no side is 0.
public func bilinearSources(
  of rows: Range<Int>, height: Int, from h: Int, alignsCorners: Bool = false
) -> Range<Int> {
  precondition(
    h > 0 && !rows.isEmpty && rows.lowerBound >= 0 && rows.upperBound <= height,
    "bilinearSources: rows \(rows) of \(height) from \(h)")
  let taps = BilinearTaps(from: h, to: height, alignsCorners: alignsCorners)
  return Int(taps.first[rows.lowerBound])..<Int(taps.second[rows.upperBound - 1]) + 1
}

/// Some rows of a map at another size, from the rows they are mixed from: the same bytes as all of it at once.
///
/// - Shapes: `band` [h, W, C] → [`rows`, `width`, C].
/// - Parameters:
///   - band: rows of a map.
///   - sources: which of the map's rows they are.
///   - mapHeight: how many rows the map has.
///   - rows: the rows of the resized map that are wanted.
///   - height: rows of the resized map.
///   - width: its columns.
///   - alignsCorners: as in ``bilinearResized(_:height:width:alignsCorners:)``.
/// - Returns: the wanted rows.
/// - Precondition: `sources` has all rows of ``bilinearSources(of:height:from:alignsCorners:)``; the band is not tracked.
public func bilinearResizedRows(
  _ band: Tensor, sources: Range<Int>, of mapHeight: Int, to rows: Range<Int>, height: Int,
  width: Int, alignsCorners: Bool = false
) -> Tensor {
  let (held, w, c) = band.dimensions3("bilinearResizedRows")
  let needed = bilinearSources(
    of: rows, height: height, from: mapHeight, alignsCorners: alignsCorners)
  precondition(
    held == sources.count && sources.lowerBound <= needed.lowerBound
      && needed.upperBound <= sources.upperBound && w > 0 && width > 0 && !band.isTracked,
    "bilinearResizedRows: \(band.shape) as rows \(sources), needed \(needed)")
  if height == mapHeight && width == w {
    return band.rows(rows.lowerBound - sources.lowerBound..<rows.upperBound - sources.lowerBound)
  }
  let taps = BilinearTaps(from: mapHeight, to: height, alignsCorners: alignsCorners)
    .part(rows, from: sources.lowerBound)
  let columns = BilinearTaps(from: w, to: width, alignsCorners: alignsCorners)
  return Tensor(shape: [rows.count, width, c]) { out in
    mixRows(
      band, stride: held, taps, columns, width: w, channels: c, into: out.baseAddress, width,
      samples: 1)
  }
}

/// Each row of the result from two rows of `x`, samples being `stride` rows apart.
private func mixRows(
  _ x: Tensor, stride: Int, _ rows: BilinearTaps, _ columns: BilinearTaps, width w: Int,
  channels c: Int, into destination: UnsafeMutablePointer<Float>?, _ width: Int, samples: Int
) {
  guard let destination, c > 0 else { return }
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.resizing)
  defer { timing.end() }
  let height = rows.first.count
  x.withUnsafePointer { source in
    Parallel.forEach(samples * height, scratch: w * c) { piece, mixed in
      let (sample, y) = (piece / height, piece % height)
      let image = source + sample * stride * w * c
      ck_bilinear_row(
        kernels, image + Int(rows.first[y]) * w * c, image + Int(rows.second[y]) * w * c,
        rows.fraction[y], w, c, columns.first, columns.second, columns.fraction, width, mixed,
        destination + piece * width * c)
    }
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
  /// The places `range` alone, in pixels counted from `start`.
  func part(_ range: Range<Int>, from start: Int) -> BilinearTaps {
    var part = self
    part.first = first[range].map { $0 - UInt32(start) }
    part.second = second[range].map { $0 - UInt32(start) }
    part.fraction = Array(fraction[range])
    return part
  }
}
