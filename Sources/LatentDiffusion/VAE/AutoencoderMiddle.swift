import Checkpoints
import TensorCore

/// Attention between two residual blocks, at the lowest level of the encoder and the decoder.
///
/// - Weights: `resnets.0`, `attentions.0`, `resnets.1`.
/// - Source: diffusers `UNetMidBlock2D`.
struct AutoencoderMiddle: Sendable {
  /// ε of every group norm in the autoencoder.
  static let epsilon: Float = 1e-6

  private let first: ResidualBlock
  private let attention: ImageAttention?
  private let second: ResidualBlock

  init(_ weights: WeightScope, channels: Int, groups: Int, attends: Bool) throws {
    func residual(_ index: Int) throws -> ResidualBlock {
      try ResidualBlock(
        weights / "resnets" / index, inputs: channels, outputs: channels, groups: groups,
        epsilon: Self.epsilon)
    }
    first = try residual(0)
    attention =
      attends
      ? try ImageAttention(
        weights / "attentions" / 0, channels: channels, groups: groups, epsilon: Self.epsilon)
      : nil
    second = try residual(1)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let x = first(x)
    return second(attention?(x) ?? x)
  }
}
