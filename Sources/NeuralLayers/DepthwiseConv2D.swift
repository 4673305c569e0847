public import Checkpoints
public import TensorCore

/// 2-D convolution of every channel with its own kernel, with bias, padded to the size of its input.
///
/// - Shapes: `x` [N, H, W, C] → [N, H, W, C].
/// - Weights: `weight` [C, 1, k, k], `bias` [C].
/// - Source: `torch.nn.Conv2d` with `groups` C and `padding` k / 2.
public struct DepthwiseConv2D: Sendable {
  private let weights: DepthwiseWeights

  /// Reads the layer's tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  /// - Precondition: `kernel` is odd.
  public init(_ weights: WeightScope, channels: Int, kernel: Int) throws {
    self.weights = DepthwiseWeights(
      try weights.tensor("weight", [channels, 1, kernel, kernel]),
      bias: try weights.tensor("bias", [channels]))
  }

  /// Applies the convolution.
  public func callAsFunction(_ x: Tensor) -> Tensor { depthwiseConvolution(x, weights) }
}
