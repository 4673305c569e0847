public import Checkpoints
public import TensorCore

/// Affine map of the last axis.
///
/// - Shapes: `x` [..., I] → [..., O].
/// - Weights: `weight` [O, I] (or [O, I, 1, 1], as 1×1 convolutions are stored), `bias` [O].
/// - Source: `torch.nn.Linear`.
public struct Linear: Sendable {
  private let weight: PackedWeights
  private let bias: Tensor?

  /// Reads the layer's tensors; `precision` is for layers that must not follow the selected one.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(
    _ weights: WeightScope, inputs: Int, outputs: Int, bias: Bool = true,
    precision: Precision = .selected
  ) throws {
    weight = try PackedWeights(
      linear: weights, inputs: inputs, outputs: outputs, precision: precision)
    self.bias = bias ? try weights.tensor("bias", [outputs]) : nil
  }

  /// Takes the tensors: `weight` [O, I] and `bias` [O], read from what `type` says.
  public init(weight: Tensor, bias: Tensor?, storedAs type: ElementType) {
    self.weight = PackedWeights(linear: weight, storedAs: type)
    self.bias = bias
  }

  /// Applies the map; in the same pass `residual` is added to the output, and `activation` is applied.
  public func callAsFunction(
    _ x: Tensor, adding residual: Tensor? = nil, then activation: FusedActivation = .none
  ) -> Tensor {
    linear(x, weight, bias: bias, adding: residual, then: activation)
  }
}
