/// The weights of a linear map or convolution, turned and packed once for the kernels.
public struct PackedWeights: Sendable {
  let matrix: Tensor
  /// Input width (channels).
  public let inputs: Int
  /// Output width (channels).
  public let outputs: Int
  /// Kernel height and width in pixels; 1 × 1 for a linear map.
  public let kernelHeight: Int
  /// See ``kernelHeight``.
  public let kernelWidth: Int

  /// Packs a linear map.
  ///
  /// - Shapes: `weight` [outputs, inputs], as PyTorch stores it.
  public init(linear weight: Tensor) {
    precondition(weight.rank == 2, "linear weight must be [O, I], got \(weight.shape)")
    matrix = weight
    (outputs, inputs) = (weight.shape[0], weight.shape[1])
    (kernelHeight, kernelWidth) = (1, 1)
  }

  /// Packs a convolution.
  ///
  /// - Shapes: `weight` [outputs, inputs, kernel height, kernel width], as PyTorch stores it.
  public init(convolution weight: Tensor) {
    precondition(weight.rank == 4, "conv weight must be [O, I, kh, kw], got \(weight.shape)")
    matrix = weight
    (outputs, inputs) = (weight.shape[0], weight.shape[1])
    (kernelHeight, kernelWidth) = (weight.shape[2], weight.shape[3])
  }
}

/// Rows and columns of zeros around an image, in pixels.
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

/// Affine map of the last axis: `x · Wᵀ + bias`, plus `residual` where given.
///
/// - Shapes: `x` [..., I], `bias` [O], `residual` [..., O] → [..., O].
public func linear(
  _ x: Tensor, _ weights: PackedWeights, bias: Tensor? = nil, adding residual: Tensor? = nil
) -> Tensor {
  let (inputs, outputs) = (weights.inputs, weights.outputs)
  precondition(x.lastDimension == inputs, "linear: \(x.shape) × [\(outputs), \(inputs)]")
  let rows = x.count / inputs
  let (xs, ws) = (x.values, weights.matrix.values)
  let bs = bias?.values
  let rs = residual?.values
  return Tensor(shape: x.shape.dropLast() + [outputs]) { out in
    for r in 0..<rows {
      for o in 0..<outputs {
        var sum: Float = bs?[o] ?? 0
        for i in 0..<inputs { sum += xs[r * inputs + i] * ws[o * inputs + i] }
        out[r * outputs + o] = sum + (rs?[r * outputs + o] ?? 0)
      }
    }
  }
}

/// 2-D convolution over a feature map, zero padded.
///
/// - Shapes: `x` [N, H, W, I], `bias` [O], `shift` [N, O], `residual` [N, H', W', O] → [N, H', W', O] with
///   H' = (u·H + padding − kernel) / stride + 1, u = 2 where `upsampling`, else 1.
/// - Parameters:
///   - x: the feature map.
///   - weights: packed kernel.
///   - bias: added to every pixel.
///   - stride: in pixels, both ways.
///   - padding: zeros around the (upsampled) map.
///   - upsampling: doubles both sides by nearest neighbour first, without writing the larger map.
///   - shift: added to every pixel of a sample (the timestep's contribution).
///   - residual: added to the output.
/// - Returns: the convolved map.
public func convolution(
  _ x: Tensor, _ weights: PackedWeights, bias: Tensor? = nil, stride: Int = 1,
  padding: Padding = Padding(0), upsampling: Bool = false, shift: Tensor? = nil,
  adding residual: Tensor? = nil
) -> Tensor {
  let (n, h0, w0, c) = x.dimensions4("convolution")
  precondition(c == weights.inputs, "convolution: \(x.shape), \(weights.inputs) input channels")
  let u = upsampling ? 2 : 1
  let (h, w) = (h0 * u, w0 * u)
  let (kh, kw, outputs) = (weights.kernelHeight, weights.kernelWidth, weights.outputs)
  let oh = (h + padding.top + padding.bottom - kh) / stride + 1
  let ow = (w + padding.left + padding.right - kw) / stride + 1
  let (xs, ws) = (x.values, weights.matrix.values)
  let (bs, ss, rs) = (bias?.values, shift?.values, residual?.values)
  return Tensor(shape: [n, oh, ow, outputs]) { out in
    for s in 0..<n {
      for y in 0..<oh {
        for xx in 0..<ow {
          for o in 0..<outputs {
            var sum: Float = (bs?[o] ?? 0) + (ss?[s * outputs + o] ?? 0)
            for ky in 0..<kh {
              let iy = y * stride + ky - padding.top
              if iy < 0 || iy >= h { continue }
              for kx in 0..<kw {
                let ix = xx * stride + kx - padding.left
                if ix < 0 || ix >= w { continue }
                let base = ((s * h0 + iy / u) * w0 + ix / u) * c
                for i in 0..<c {
                  sum += xs[base + i] * ws[((o * c + i) * kh + ky) * kw + kx]
                }
              }
            }
            let index = ((s * oh + y) * ow + xx) * outputs + o
            out[index] = sum + (rs?[index] ?? 0)
          }
        }
      }
    }
  }
}
