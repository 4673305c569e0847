public import Checkpoints
public import TensorCore

/// Group normalisation with scale and shift.
///
/// - Shapes: `x` [N, H, W, C] → [N, H, W, C].
/// - Weights: `weight` [C], `bias` [C].
/// - Source: `torch.nn.GroupNorm`.
public struct GroupNorm: Sendable {
  private let scale: Tensor
  private let shift: Tensor
  private let groups: Int
  private let epsilon: Float

  /// Reads the layer's tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(_ weights: WeightScope, channels: Int, groups: Int, epsilon: Float) throws {
    guard groups > 0, channels % groups == 0 else {
      throw CheckpointError(
        .wrongShape, file: weights.file, key: weights.path,
        "\(channels) channels do not divide into \(groups) groups; check norm_num_groups")
    }
    scale = try weights.tensor("weight", [channels])
    shift = try weights.tensor("bias", [channels])
    self.groups = groups
    self.epsilon = epsilon
  }

  /// Normalises; `thenSiLU` applies SiLU in the same pass.
  public func callAsFunction(_ x: Tensor, thenSiLU: Bool = false) -> Tensor {
    groupNorm(x, groups: groups, scale: scale, shift: shift, epsilon: epsilon, thenSiLU: thenSiLU)
  }
}
