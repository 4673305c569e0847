import CKernels

/// The kernels of a depthwise convolution, turned once for the processor's vectors.
public struct DepthwiseWeights: Sendable {
  /// The number of channels.
  public let channels: Int
  /// Taps along a side.
  public let kernel: Int
  /// [taps, channels rounded up], then the bias in one more row; zeros behind the channels.
  let packed: Tensor

  /// Turns kernels.
  ///
  /// - Shapes: `weight` [C, 1, k, k], as PyTorch stores it, `bias` [C].
  /// - Precondition: k is odd.
  public init(_ weight: Tensor, bias: Tensor) {
    let (c, k) = (weight.shape[0], weight.shape.last ?? 0)
    precondition(
      weight.shape == [c, 1, k, k] && k % 2 == 1 && bias.shape == [c],
      "depthwise weights \(weight.shape) with bias \(bias.shape), expected [C, 1, k, k], k odd, and [C]"
    )
    precondition(
      !weight.isTracked && !bias.isTracked, "depthwise convolution has no rule for gradients")
    (channels, kernel) = (c, k)
    let unit = Int(CK_DEPTHWISE_CHANNELS)
    let stride = (c + unit - 1) / unit * unit
    let taps = k * k
    packed = weight.withUnsafeBuffer { weight in
      bias.withUnsafeBuffer { bias in
        Tensor(shape: [taps + 1, stride]) { out in
          out.update(repeating: 0)
          for channel in 0..<c {
            for tap in 0..<taps { out[tap * stride + channel] = weight[channel * taps + tap] }
            out[taps * stride + channel] = bias[channel]
          }
        }
      }
    }
  }
}

/// Rows and channels that a thread takes at a time: few enough that its part of the map stays in the second-level cache.
private let depthwisePiece = (rows: 16, channels: 64)

/// A convolution of every channel with its own kernel, stride 1, zero padded to the size of its input.
///
/// - Shapes: `x` [N, H, W, C] → [N, H, W, C].
/// - Source: `torch.nn.Conv2d` with `groups` C and `padding` k / 2.
public func depthwiseConvolution(_ x: Tensor, _ weights: DepthwiseWeights) -> Tensor {
  let (n, h, w, c) = x.dimensions4("depthwiseConvolution")
  precondition(
    c == weights.channels, "depthwiseConvolution: \(x.shape), kernels of \(weights.channels)")
  precondition(!x.isTracked, "depthwiseConvolution has no rule for gradients")
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.depthwise)
  let taps = weights.kernel * weights.kernel
  defer { timing.end(operations: 2 * Double(x.count) * Double(taps)) }
  let bands = (h + depthwisePiece.rows - 1) / depthwisePiece.rows
  let parts = (c + depthwisePiece.channels - 1) / depthwisePiece.channels
  return Tensor(shape: x.shape) { out in
    guard let destination = out.baseAddress, x.count > 0 else { return }
    x.withUnsafePointer { source in
      weights.packed.withUnsafePointer { packed in
        let stride = weights.packed.lastDimension
        let convolution = ck_depthwise(
          input: source, height: h, width: w, channels: c, kernel: weights.kernel,
          weights: packed, bias: packed + taps * stride, weight_stride: stride,
          output: destination)
        let scratch = withUnsafePointer(to: convolution) {
          ck_depthwise_scratch_floats(kernels, $0, min(h, depthwisePiece.rows))
        }
        Parallel.forEach(n * bands * parts, scratch: scratch) { piece, scratch in
          let (row, channel) = (
            piece / parts % bands * depthwisePiece.rows, piece % parts * depthwisePiece.channels
          )
          withUnsafePointer(to: convolution) {
            ck_convolve_depthwise(
              kernels, $0, piece / parts / bands, row, min(h, row + depthwisePiece.rows), channel,
              min(c, channel + depthwisePiece.channels), scratch)
          }
        }
      }
    }
  }
}
