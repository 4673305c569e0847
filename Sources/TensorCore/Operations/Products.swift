import CKernels

/// Rows and columns of zeros around an image, in pixels; where negative, so many of the image's own are left out.
public struct Padding: Sendable, Equatable {
  /// Rows above.
  public var top: Int
  /// Rows below.
  public var bottom: Int
  /// Columns on the left.
  public var left: Int
  /// Columns on the right.
  public var right: Int

  /// The same on every side.
  public init(_ all: Int) { (top, bottom, left, right) = (all, all, all, all) }

  /// Different on each side.
  public init(top: Int, bottom: Int, left: Int, right: Int) {
    (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
  }
}

/// Affine map of the last axis: `x · Wᵀ + bias`, plus `residual` where given, and what `activation` makes of it.
///
/// - Shapes: `x` [..., I], `bias` [O], `residual` [..., O] → [..., O].
public func linear(
  _ x: Tensor, _ weights: PackedWeights, bias: Tensor? = nil, adding residual: Tensor? = nil,
  then activation: FusedActivation = .none
) -> Tensor {
  let (inputs, outputs) = (weights.inputs, weights.outputs)
  precondition(
    x.lastDimension == inputs && weights.kernelHeight * weights.kernelWidth == 1,
    "linear: \(x.shape) × [\(outputs), \(inputs)]")
  let rows = x.count / inputs
  let map = ProductShape(
    samples: 1, height: 1, width: rows, stride: 1, padding: Padding(0), enlargement: 1,
    outHeight: 1, outWidth: rows)
  return multiply(
    x, weights, map, bias: bias, shift: nil, residual: residual, then: activation,
    shape: x.shape.dropLast() + [outputs])
}

/// Output rows that a convolution may compute together.
///
/// A band of a map's rows has the bytes of the whole map where it begins at a multiple of so many and, unless it is the
/// last, has a multiple.
public let convolutionRowsTogether = Int(CK_WINOGRAD_SIDE)

/// 2-D convolution over a feature map, zero padded.
///
/// Where the level's kernels say that it pays, kernels of 3×3 taps and stride 1 are computed by Winograd's algorithm.
///
/// - Shapes: `x` [N, H, W, I], `bias` [O], `shift` [N, O], `residual` [N or 1, H', W', O] → [N, H', W', O] with
///   H' = (u·H + padding − kernel) / stride + 1, u = 2 where `upsampling`, else 1.
/// - Parameters:
///   - x: the feature map.
///   - weights: packed kernel.
///   - bias: added to every pixel.
///   - stride: in pixels, both ways.
///   - padding: zeros around the (upsampled) map.
///   - upsampling: doubles both sides by nearest neighbour first, without writing the larger map.
///   - shift: added to every pixel of a sample (the timestep's contribution).
///   - residual: added to the output; one sample is added to every one.
///   - activation: of all that adds up to; none where anything is tracked.
/// - Returns: the convolved map.
public func convolution(
  _ x: Tensor, _ weights: PackedWeights, bias: Tensor? = nil, stride: Int = 1,
  padding: Padding = Padding(0), upsampling: Bool = false, shift: Tensor? = nil,
  adding residual: Tensor? = nil, then activation: FusedActivation = .none
) -> Tensor {
  let (n, h, w, c) = x.dimensions4("convolution")
  precondition(c == weights.inputs, "convolution: \(x.shape), \(weights.inputs) input channels")
  precondition(
    stride <= 4 || weights.storage != CK_STORAGE_PAIRS,
    "convolution: stride \(stride), at most 4 in bfloat16")
  let enlargement = upsampling ? 2 : 1
  let spanHeight = h * enlargement + padding.top + padding.bottom - weights.kernelHeight
  let spanWidth = w * enlargement + padding.left + padding.right - weights.kernelWidth
  precondition(
    spanHeight >= 0 && spanWidth >= 0 && stride >= 1,
    "convolution: \(x.shape) is smaller than the kernel")
  let map = ProductShape(
    samples: n, height: h, width: w, stride: stride, padding: padding, enlargement: enlargement,
    outHeight: spanHeight / stride + 1, outWidth: spanWidth / stride + 1)
  return multiply(
    x, weights, map, bias: bias, shift: shift, residual: residual, then: activation,
    shape: [n, map.outHeight, map.outWidth, weights.outputs])
}

/// How the rows of a product lie in its input.
struct ProductShape: Sendable {
  var samples: Int
  var height: Int
  var width: Int
  var stride: Int
  var padding: Padding
  var enlargement: Int
  var outHeight: Int
  var outWidth: Int

  var rows: Int { samples * outHeight * outWidth }
}

private func multiply(
  _ x: Tensor, _ weights: PackedWeights, _ map: ProductShape, bias: Tensor?, shift: Tensor?,
  residual: Tensor?, then activation: FusedActivation, shape: [Int]
) -> Tensor {
  let outputs = weights.outputs
  precondition(bias?.shape ?? [outputs] == [outputs], "bias \(bias?.shape ?? []) of \(outputs)")
  precondition(
    shift?.shape ?? [map.samples, outputs] == [map.samples, outputs],
    "shift \(shift?.shape ?? []), expected \([map.samples, outputs])")
  let shared = [1] + shape.dropFirst()
  precondition(
    residual.map { $0.shape == shape || $0.shape == shared } ?? true,
    "residual \(residual?.shape ?? []), expected \(shape) or \(shared)")
  let taps = weights.kernelHeight * weights.kernelWidth
  let timing = OperationTiming(taps == 1 ? .linear : .convolution)
  defer {
    timing.end(
      operations: 2 * Double(map.rows * outputs) * Double(taps * weights.inputs),
      isNarrow: weights.storage == CK_STORAGE_PAIRS)
  }
  let isTracked =
    x.isTracked || weights.source != nil || bias?.isTracked == true || shift?.isTracked == true
    || residual?.isTracked == true
  guard !isTracked else {
    precondition(
      activation == .none && residual?.shape ?? shape == shape,
      "a tracked product has no activation, and a residual of its own shape")
    return trackedProduct(
      x, weights, map, bias: bias, shift: shift, residual: residual, shape: shape)
  }
  return packedProduct(
    x, weights, map, bias: bias, shift: shift, residual: residual, then: activation, shape: shape)
}

/// The product as the kernels compute it from packed weights.
func packedProduct(
  _ x: Tensor, _ weights: PackedWeights, _ map: ProductShape, bias: Tensor?, shift: Tensor?,
  residual: Tensor?, then activation: FusedActivation = .none, shape: [Int]
) -> Tensor {
  let sharesResidual = residual.map { $0.shape != shape } ?? false
  return Tensor(shape: shape) { out in
    guard let destination = out.baseAddress else { return }
    withPointers(x, weights.packed, bias, shift, residual) { x, packed, bias, shift, residual in
      var product = ck_product(
        input: x, height: map.height, width: map.width, channels: weights.inputs,
        kernel_height: weights.kernelHeight, kernel_width: weights.kernelWidth,
        stride: map.stride, pad_top: map.padding.top, pad_left: map.padding.left,
        enlargement: map.enlargement, out_height: map.outHeight, out_width: map.outWidth,
        rows: map.rows, packed: packed, storage: weights.storage, columns: weights.outputs,
        bias: bias, shift: shift, residual: residual,
        residual_is_shared: sharesResidual ? 1 : 0, activation: activation.code,
        output: destination, tiles: 0)
      // Weights in training stay with the products that their gradients are the rule of.
      if weights.source == nil {
        product.tiles = withUnsafePointer(to: product) {
          ck_winograd_tiles(weights.level.kernels, $0)
        }
      }
      run(
        product, weights.level.kernels,
        depth: weights.inputs * weights.kernelHeight * weights.kernelWidth)
    }
  }
}

/// Cuts a product into pieces and works through them; no element depends on the cut.
///
/// Rows, or tiles of Winograd's, are cut first, since a piece gathers its rows once, then panels where there are too few
/// rows to go round.
private func run(_ product: ck_product, _ kernels: OpaquePointer, depth: Int) {
  guard product.rows > 0 else { return }
  let rows = product.tiles > 0 ? product.tiles : product.rows
  let panels = PackedWeights.panelCount(product.columns, kernels)
  let block = withUnsafePointer(to: product) { ck_row_block(kernels, $0) }
  let isNarrow = product.storage == CK_STORAGE_PAIRS
  let tile = isNarrow ? min(block, rows) : ck_tile_rows(kernels)
  let work = product.rows * depth * product.columns
  // Below about 20 µs of work a second thread costs more than it brings.
  let wanted = work < 2_000_000 ? 1 : Parallel.threadCount * (isNarrow ? 2 : 4)
  let rowPieces = wanted == 1 ? 1 : (rows + block - 1) / block
  let rowsPerPiece = ((rows + rowPieces - 1) / rowPieces + tile - 1) / tile * tile
  let rowCuts = (rows + rowsPerPiece - 1) / rowsPerPiece
  let panelPieces = max(1, min(panels, (wanted + rowCuts - 1) / rowCuts))
  let panelsPerPiece = (panels + panelPieces - 1) / panelPieces
  let panelCuts = (panels + panelsPerPiece - 1) / panelsPerPiece
  let floats = withUnsafePointer(to: product) { ck_scratch_floats(kernels, $0) }
  Parallel.forEach(rowCuts * panelCuts, scratch: floats) { piece, scratch in
    let (row, panel) = (piece / panelCuts * rowsPerPiece, piece % panelCuts * panelsPerPiece)
    withUnsafePointer(to: product) { pointer in
      ck_multiply(
        kernels, pointer, row, min(rows, row + rowsPerPiece), panel,
        min(panels, panel + panelsPerPiece), scratch)
    }
  }
}

private func withPointers(
  _ x: Tensor, _ packed: Tensor, _ bias: Tensor?, _ shift: Tensor?, _ residual: Tensor?,
  _ body: (
    UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>?, UnsafePointer<Float>?,
    UnsafePointer<Float>?
  ) -> Void
) {
  x.withUnsafePointer { x in
    packed.withUnsafePointer { packed in
      withOptionalPointer(bias) { bias in
        withOptionalPointer(shift) { shift in
          withOptionalPointer(residual) { residual in body(x, packed, bias, shift, residual) }
        }
      }
    }
  }
}

/// Reads a tensor in place where there is one.
func withOptionalPointer(_ tensor: Tensor?, _ body: (UnsafePointer<Float>?) -> Void) {
  guard let tensor else { return body(nil) }
  tensor.withUnsafePointer { body($0) }
}
