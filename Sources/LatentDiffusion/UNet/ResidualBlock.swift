public import Checkpoints
import NeuralLayers
public import TensorCore

/// Two 3×3 convolutions around a timestep shift, added to the input.
///
/// - Shapes: `x` [N, H, W, I], `time` [N, T] → [N, H, W, O].
/// - Weights: `norm1`, `conv1`, `time_emb_proj` (where there is a time), `norm2`, `conv2`; `conv_shortcut`
///   where I ≠ O.
/// - Source: diffusers `ResnetBlock2D` with `time_embedding_norm="default"`.
public struct ResidualBlock: Sendable {
  let norm1: GroupNorm
  let conv1: Conv2D
  private let timeProjection: Linear?
  let norm2: GroupNorm
  let conv2: Conv2D
  let shortcut: Linear?

  /// Reads the block's tensors; no `timeWidth` means a block without a timestep.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(
    _ weights: WeightScope, inputs: Int, outputs: Int, timeWidth: Int? = nil, groups: Int,
    epsilon: Float
  ) throws {
    norm1 = try GroupNorm(weights / "norm1", channels: inputs, groups: groups, epsilon: epsilon)
    conv1 = try Conv2D(weights / "conv1", inputs: inputs, outputs: outputs, kernel: 3)
    timeProjection = try timeWidth.map {
      try Linear(weights / "time_emb_proj", inputs: $0, outputs: outputs)
    }
    norm2 = try GroupNorm(weights / "norm2", channels: outputs, groups: groups, epsilon: epsilon)
    conv2 = try Conv2D(weights / "conv2", inputs: outputs, outputs: outputs, kernel: 3)
    shortcut =
      inputs == outputs
      ? nil : try Linear(weights / "conv_shortcut", inputs: inputs, outputs: outputs)
  }

  /// Applies the block.
  ///
  /// - Parameters:
  ///   - x: the feature map.
  ///   - time: the SiLU of the timestep's embedding, the same for all blocks and so taken once.
  /// - Returns: the new map.
  public func callAsFunction(_ x: Tensor, time: Tensor? = nil) -> Tensor {
    let shift = time.flatMap { timeProjection?($0) }  // [N, O]
    let hidden = conv1(norm1(x, thenSiLU: true), shift: shift)  // [N, H, W, O]
    return conv2(norm2(hidden, thenSiLU: true), adding: shortcut?(x) ?? x)
  }
}
