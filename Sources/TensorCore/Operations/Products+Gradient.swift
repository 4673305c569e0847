import CKernels

/// A product whose operands are tracked, with its rule.
///
/// y = G(x) · Wᵀ + bias + shift + residual, where G gathers the rows that the taps read. With g the gradient of y:
/// W: gᵀ · G(x); x: Gᵀ(g · W), rows added to where they were gathered; bias: Σ g over all rows; shift: Σ g over the
/// rows of a sample; residual: g.
func trackedProduct(
  _ x: Tensor, _ weights: PackedWeights, _ map: ProductShape, bias: Tensor?, shift: Tensor?,
  residual: Tensor?, shape: [Int]
) -> Tensor {
  precondition(
    weights.source != nil || !x.isTracked,
    "a product of tracked rows needs weights that were packed while tracked, to pass gradients through"
  )
  let product = GatheredProduct(map, weights)
  let isPacked = weights.packed.count > 0 || weights.source == nil
  let result =
    isPacked
    ? packedProduct(
      x, weights, map, bias: bias, shift: shift, residual: residual, shape: shape)
    : product.multiplied(
      x, weights.source, bias: bias, shift: shift, residual: residual, shape: shape)
  let (inputShape, outputs, samples) = (x.shape, weights.outputs, map.samples)
  let wanted = (
    x: x.isTracked, bias: bias?.isTracked == true, shift: shift?.isTracked == true
  )
  let weight = weights.source?.untracked()
  let rows = x.untracked()
  return result.recorded(
    "product", from: [x, weights.source, bias, shift, residual]
  ) { gradient in
    [
      wanted.x ? weight.map { product.inputGradient(gradient, $0, shape: inputShape) } : nil,
      weight.map { product.weightGradient(gradient, rows, shape: $0.shape) },
      wanted.bias ? columnSums(gradient, columns: outputs).reshaped([outputs]) : nil,
      wanted.shift ? columnSums(gradient, groups: samples, columns: outputs) : nil,
      gradient,
    ]
  }
}

/// A product over gathered rows, by OpenBLAS, forward and backward.
struct GatheredProduct: Sendable {
  /// Output rows that are gathered at once.
  private static let blockRows = 256

  let map: ProductShape
  let inputs: Int
  let outputs: Int
  let kernelHeight: Int
  let kernelWidth: Int

  init(_ map: ProductShape, _ weights: PackedWeights) {
    self.map = map
    (inputs, outputs) = (weights.inputs, weights.outputs)
    (kernelHeight, kernelWidth) = (weights.kernelHeight, weights.kernelWidth)
  }

  private var taps: Int { kernelHeight * kernelWidth }
  private var isInPlace: Bool { taps == 1 && map.readsInPlace }
  var layout: ck_taps {
    ck_taps(
      height: map.height, width: map.width, channels: inputs, kernel_height: kernelHeight,
      kernel_width: kernelWidth, stride: map.stride, pad_top: map.padding.top,
      pad_left: map.padding.left, enlargement: map.enlargement, out_height: map.outHeight,
      out_width: map.outWidth)
  }

  /// The product with weights of one tap.
  func multiplied(
    _ x: Tensor, _ weight: Tensor?, bias: Tensor?, shift: Tensor?, residual: Tensor?, shape: [Int]
  ) -> Tensor {
    guard let weight else { preconditionFailure("product: no weights") }
    let gathered = isInPlace ? x : gathered(x)
    return Tensor(shape: shape) { out in
      guard let destination = out.baseAddress else { return }
      let isSet = fill(destination, bias: bias, shift: shift, residual: residual)
      gathered.withUnsafePointer { rows in
        weight.withUnsafePointer { weight in
          BLAS.multiplyTiled(
            .init(rows, rows: map.rows, columns: inputs),
            BLAS.Matrix(weight, rows: outputs, columns: inputs).turned,
            adding: isSet, into: destination)
        }
      }
    }
  }

  /// Writes what is added to the product; false where there is nothing.
  private func fill(
    _ out: UnsafeMutablePointer<Float>, bias: Tensor?, shift: Tensor?, residual: Tensor?
  ) -> Bool {
    guard bias != nil || shift != nil || residual != nil else { return false }
    let area = map.outHeight * map.outWidth
    Parallel.forRanges(map.rows, grain: max(1, elementGrain / outputs)) { range in
      for row in range {
        let target = out + row * outputs
        if let residual {
          residual.withUnsafePointer { target.update(from: $0 + row * outputs, count: outputs) }
        } else {
          target.update(repeating: 0, count: outputs)
        }
        bias?.withUnsafePointer { ck_add_scaled($0, 1, outputs, target) }
        shift?.withUnsafePointer { ck_add_scaled($0 + row / area * outputs, 1, outputs, target) }
      }
    }
    return true
  }

  /// Every row with all its taps [rows, taps · inputs].
  private func gathered(_ x: Tensor) -> Tensor {
    let width = taps * inputs
    return Tensor(shape: [map.rows, width]) { out in
      guard let destination = out.baseAddress else { return }
      x.withUnsafePointer { source in
        Parallel.forRanges(map.rows, grain: max(1, elementGrain / width)) { range in
          withUnsafePointer(to: layout) {
            ck_gather_taps(
              $0, source, range.lowerBound, range.count, 0, taps,
              destination + range.lowerBound * width)
          }
        }
      }
    }
  }

  // MARK: Gradient of the weights

  /// gᵀ · G(x) as PyTorch stores weights [outputs, inputs, kernel height, kernel width].
  ///
  /// The work is cut into runs of rows, whose products are added in order, or into taps, or into outputs: whichever is
  /// enough to go round.
  func weightGradient(_ gradient: Tensor, _ x: Tensor, shape: [Int]) -> Tensor {
    let width = taps * inputs
    let size = outputs * width
    let runs = size > 1 << 18 ? 1 : min(8, max(1, map.rows / 1024))
    let rowsPerRun = (map.rows + runs - 1) / runs
    guard runs > 1 || taps > 1 else {
      return Tensor(shape: shape) { out in
        guard let destination = out.baseAddress else { return }
        product(gradient, isInPlace ? x : gathered(x), into: destination)
      }
    }
    let tapsPerPiece = runs > 1 ? taps : 1
    let cuts = taps / tapsPerPiece
    return Tensor(shape: shape) { out in
      guard let destination = out.baseAddress else { return }
      withPooledFloats(runs * size) { sums in
        Parallel.forEach(runs * cuts) { piece, _ in
          let (run, cut) = (piece / cuts, piece % cuts)
          let rows = min(map.rows, run * rowsPerRun)..<min(map.rows, (run + 1) * rowsPerRun)
          runProduct(
            gradient, x, rows: rows, taps: cut * tapsPerPiece..<(cut + 1) * tapsPerPiece,
            into: sums + run * size)
        }
        collect(sums, runs: runs, into: destination)
      }
    }
  }

  /// gᵀ · x for rows in place.
  private func product(
    _ gradient: Tensor, _ x: Tensor, into out: UnsafeMutablePointer<Float>
  ) {
    gradient.withUnsafePointer { gradient in
      x.withUnsafePointer { rows in
        BLAS.multiplyTiled(
          BLAS.Matrix(gradient, rows: map.rows, columns: outputs).turned,
          .init(rows, rows: map.rows, columns: inputs), into: out)
      }
    }
  }

  /// The part of some rows and taps, in columns of `out` [outputs, taps · inputs].
  private func runProduct(
    _ gradient: Tensor, _ x: Tensor, rows: Range<Int>, taps part: Range<Int>,
    into out: UnsafeMutablePointer<Float>
  ) {
    let (width, stride) = (part.count * inputs, taps * inputs)
    let target = out + part.lowerBound * inputs
    gradient.withUnsafePointer { gradient in
      x.withUnsafePointer { source in
        if isInPlace || rows.isEmpty {
          return BLAS.multiply(
            BLAS.Matrix(
              gradient + rows.lowerBound * outputs, rows: rows.count, columns: outputs
            ).turned,
            .init(source + rows.lowerBound * inputs, rows: rows.count, columns: width),
            into: target, stride: stride)
        }
        withPooledFloats(Self.blockRows * width) { gathered in
          for first in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: Self.blockRows)
          {
            let count = min(Self.blockRows, rows.upperBound - first)
            withUnsafePointer(to: layout) {
              ck_gather_taps($0, source, first, count, part.lowerBound, part.count, gathered)
            }
            BLAS.multiply(
              BLAS.Matrix(gradient + first * outputs, rows: count, columns: outputs).turned,
              .init(gathered, rows: count, columns: width), adding: first > rows.lowerBound,
              into: target, stride: stride)
          }
        }
      }
    }
  }

  /// Adds the runs' sums [outputs, taps, inputs] in order, as [outputs, inputs, taps].
  private func collect(
    _ sums: UnsafeMutablePointer<Float>, runs: Int, into out: UnsafeMutablePointer<Float>
  ) {
    let (width, size) = (taps * inputs, outputs * taps * inputs)
    Parallel.forRanges(outputs, grain: max(1, elementGrain / width)) { range in
      for output in range {
        let first = sums + output * width
        for run in 1..<max(runs, 2) where run < runs {
          ck_add_scaled(first + run * size, 1, width, first)
        }
        Self.turn(first, rows: taps, columns: inputs, into: out + output * width)
      }
    }
  }

  private static func turn(
    _ matrix: UnsafePointer<Float>, rows: Int, columns: Int, into out: UnsafeMutablePointer<Float>
  ) {
    guard rows > 1 else { return out.update(from: matrix, count: columns) }
    for row in 0..<rows {
      for column in 0..<columns { out[column &* rows &+ row] = matrix[row &* columns &+ column] }
    }
  }
}
