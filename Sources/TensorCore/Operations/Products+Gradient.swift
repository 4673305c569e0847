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
  let result = packedProduct(
    x, weights, map, bias: bias, shift: shift, residual: residual, shape: shape)
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

/// A product over gathered rows, backward: each gradient is a product of the same kernels.
struct GatheredProduct: Sendable {
  /// Floats that are packed at once for a gradient of the weights, 32 MB.
  private static let packedFloats = 1 << 23

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

  var taps: Int { kernelHeight * kernelWidth }
  var layout: ck_taps {
    ck_taps(
      height: map.height, width: map.width, channels: inputs, kernel_height: kernelHeight,
      kernel_width: kernelWidth, stride: map.stride, pad_top: map.padding.top,
      pad_left: map.padding.left, enlargement: map.enlargement, out_height: map.outHeight,
      out_width: map.outWidth)
  }

  /// gᵀ · G(x) as PyTorch stores weights [outputs, inputs, kernel height, kernel width].
  ///
  /// Rows are the depth of this product. They are taken in runs, so that what is packed stays small, whose products are
  /// added in order.
  func weightGradient(_ gradient: Tensor, _ x: Tensor, shape: [Int]) -> Tensor {
    let width = taps * inputs
    let run = max(256, Self.packedFloats / max(1, width))
    var sum: Tensor?
    for first in stride(from: 0, to: map.rows, by: run) {
      let count = min(run, map.rows - first)
      let rows = gradient.withUnsafePointer { start in
        turned(start + first * outputs, rows: count, columns: outputs)
      }
      sum = linear(rows, packed(x, rows: first..<first + count), adding: sum)
    }
    guard let sum else { return Tensor.zeros(shape) }
    guard taps > 1 else { return sum.reshaped(shape) }
    return Tensor(shape: shape) { out in
      guard let destination = out.baseAddress else { return }
      sum.withUnsafePointer { sum in
        Parallel.forRanges(outputs, grain: max(1, elementGrain / width)) { range in
          for output in range {
            ck_turn(
              sum + output * width, inputs, taps, inputs, destination + output * width, taps)
          }
        }
      }
    }
  }

  /// Some rows of G(x) as the weights of a linear map from rows to taps and channels.
  private func packed(_ x: Tensor, rows: Range<Int>) -> PackedWeights {
    x.withUnsafePointer { source in
      PackedWeights(outputs: taps * inputs, inputs: rows.count) { kernels, out, first, last in
        withUnsafePointer(to: layout) {
          ck_pack_taps(kernels, $0, source, rows.lowerBound, rows.count, out, first, last)
        }
      }
    }
  }

  /// [rows, columns] as [columns, rows].
  private func turned(_ start: UnsafePointer<Float>, rows: Int, columns: Int) -> Tensor {
    Tensor(shape: [columns, rows]) { out in
      guard let destination = out.baseAddress else { return }
      Parallel.forRanges(columns, grain: max(16, elementGrain / rows)) { range in
        let first = range.lowerBound
        ck_turn(start + first, columns, rows, range.count, destination + first * rows, rows)
      }
    }
  }
}
