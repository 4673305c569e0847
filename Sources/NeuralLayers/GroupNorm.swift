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

  /// Normalises; `thenSiLU` applies SiLU in the same pass, `thenReLU` ReLU.
  public func callAsFunction(
    _ x: Tensor, thenSiLU: Bool = false, thenReLU: Bool = false
  ) -> Tensor {
    groupNorm(
      x, groups: groups, scale: scale, shift: shift, epsilon: epsilon, thenSiLU: thenSiLU,
      thenReLU: thenReLU)
  }

  /// What normalising does to each channel of a map that is given in bands of rows.
  ///
  /// - Shapes: `bands` [hᵢ, W, C] from the top → [2, C].
  public func factors(of bands: [Tensor]) -> Tensor {
    groupFactors(ofBands: bands, groups: groups, scale: scale, epsilon: epsilon)
  }

  /// Normalises some rows of a map whose factors are known: the same bytes as with all of it at once.
  ///
  /// - Shapes: `parts` [hᵢ, W, C] from the top → [Σhᵢ, W, C].
  public func callAsFunction(_ parts: [Tensor], factors: Tensor, thenSiLU: Bool = false) -> Tensor {
    groupNormalized(parts, factors: factors, shift: shift, thenSiLU: thenSiLU)
  }
}
