public import Checkpoints
public import TensorCore

/// 2-D convolution.
///
/// - Shapes: `x` [N, H, W, I] → [N, H', W', O].
/// - Weights: `weight` [O, I, k, k], and `bias` [O] unless there is none.
/// - Source: `torch.nn.Conv2d`.
public struct Conv2D: Sendable {
  private let weight: PackedWeights
  private let bias: Tensor?
  private let stride: Int
  private let padding: Padding

  /// Reads the layer's tensors; the padding is `(kernel − 1) / 2` on every side unless given, `precision` is for layers
  /// that must not follow the selected one.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(
    _ weights: WeightScope, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1,
    padding: Padding? = nil, bias: Bool = true, precision: Precision = .selected
  ) throws {
    weight = try PackedWeights(
      convolution: weights, shape: [outputs, inputs, kernel, kernel], precision: precision)
    self.bias = bias ? try weights.tensor("bias", [outputs]) : nil
    self.stride = stride
    self.padding = padding ?? Padding((kernel - 1) / 2)
  }

  /// Reads a convolution without bias and the batch norm behind it, as one convolution.
  ///
  /// - Weights: `weight` [O, I, k, k]; of the norm `weight`, `bias`, `running_mean` and `running_var` [O].
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen, or a variance is negative.
  /// - Source: `torch.nn.BatchNorm2d` in evaluation, ε 1e-5.
  public init(
    _ weights: WeightScope, norm: WeightScope, inputs: Int, outputs: Int, kernel: Int,
    stride: Int = 1
  ) throws {
    let taps = try weights.tensor("weight", [outputs, inputs, kernel, kernel])
    let (scale, shift) = try (norm.tensor("weight", [outputs]), norm.tensor("bias", [outputs]))
    let mean = try norm.tensor("running_mean", [outputs])
    let variance = try norm.tensor("running_var", [outputs]).values
    norm.ignore("num_batches_tracked")
    if let index = variance.firstIndex(where: { $0 < 0 }) {
      throw CheckpointError(
        .malformed, file: norm.file, key: norm.key("running_var"),
        "element \(index) is \(variance[index]), expected variances from 0")
    }
    let factors = zip(scale.values, variance).map { Double($0) / (Double($1) + 1e-5).squareRoot() }
    let count = inputs * kernel * kernel
    weight = PackedWeights(
      convolution: taps.withUnsafeBuffer { source in
        Tensor(shape: taps.shape) { out in
          for index in 0..<out.count {
            out[index] = Float(Double(source[index]) * factors[index / count])
          }
        }
      })
    let (means, shifts) = (mean.values, shift.values)
    bias = Tensor(
      factors.indices.map { Float(Double(shifts[$0]) - Double(means[$0]) * factors[$0]) },
      shape: [outputs])
    self.stride = stride
    padding = Padding((kernel - 1) / 2)
  }

  /// Applies the convolution.
  ///
  /// - Parameters:
  ///   - x: the feature map.
  ///   - upsampling: doubles both sides by nearest neighbour first.
  ///   - shift: [N, O], added to every pixel of its sample.
  ///   - residual: added to the output.
  ///   - activation: applied in the same pass.
  /// - Returns: the convolved map.
  public func callAsFunction(
    _ x: Tensor, upsampling: Bool = false, shift: Tensor? = nil, adding residual: Tensor? = nil,
    then activation: FusedActivation = .none
  ) -> Tensor {
    convolution(
      x, weight, bias: bias, stride: stride, padding: padding, upsampling: upsampling,
      shift: shift, adding: residual, then: activation)
  }

  /// Applies the convolution to a band of a map's rows: the same bytes as with all of the map at once.
  ///
  /// - Parameters:
  ///   - rows: the band [h, W, I] with the rows that the kernel reaches beyond it: one above and one below, above
  ///     only where the stride is 1; none outside the map.
  ///   - isFirst: whether the band begins with the map's first row.
  ///   - isLast: whether it ends with its last.
  ///   - upsampling: doubles both sides by nearest neighbour first.
  ///   - residual: added to the output [h', W', O].
  /// - Returns: the convolved band [h', W', O].
  public func callAsFunction(
    rows: Tensor, isFirst: Bool, isLast: Bool, upsampling: Bool = false,
    adding residual: Tensor? = nil
  ) -> Tensor {
    // Of a row beyond the band that was doubled, the kernel reaches the nearer half.
    let inside = upsampling ? -1 : 0
    let padding = Padding(
      top: isFirst ? padding.top : inside, bottom: isLast ? padding.bottom : inside,
      left: padding.left, right: padding.right)
    let band = convolution(
      rows.reshaped([1] + rows.shape), weight, bias: bias, stride: stride, padding: padding,
      upsampling: upsampling, adding: residual.map { $0.reshaped([1] + $0.shape) })
    return band.reshaped(Array(band.shape.dropFirst()))
  }
}
