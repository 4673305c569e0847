public import Checkpoints
public import TensorCore

/// Layer normalisation of the last axis.
///
/// - Shapes: `x` [..., D] → [..., D].
/// - Weights: `weight` [D], `bias` [D].
/// - Source: `torch.nn.LayerNorm`.
public struct LayerNorm: Sendable {
  private let scale: Tensor
  private let shift: Tensor
  private let epsilon: Float

  /// Reads the layer's tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(_ weights: WeightScope, width: Int, epsilon: Float = 1e-5) throws {
    scale = try weights.tensor("weight", [width])
    shift = try weights.tensor("bias", [width])
    self.epsilon = epsilon
  }

  /// Normalises.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    layerNorm(x, scale: scale, shift: shift, epsilon: epsilon)
  }
}
