public import Checkpoints
public import TensorCore

/// 2-D convolution with bias.
///
/// - Shapes: `x` [N, H, W, I] → [N, H', W', O].
/// - Weights: `weight` [O, I, k, k], `bias` [O].
/// - Source: `torch.nn.Conv2d`.
public struct Conv2D: Sendable {
  private let weight: PackedWeights
  private let bias: Tensor
  private let stride: Int
  private let padding: Padding

  /// Reads the layer's tensors; the padding is `(kernel − 1) / 2` on every side unless given, `precision` is for layers
  /// that must not follow the selected one.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(
    _ weights: WeightScope, inputs: Int, outputs: Int, kernel: Int, stride: Int = 1,
    padding: Padding? = nil, precision: Precision = .selected
  ) throws {
    weight = try PackedWeights(
      convolution: weights, shape: [outputs, inputs, kernel, kernel], precision: precision)
    bias = try weights.tensor("bias", [outputs])
    self.stride = stride
    self.padding = padding ?? Padding((kernel - 1) / 2)
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
