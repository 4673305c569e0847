import Checkpoints
import NeuralLayers
import TensorCore

/// Entities attend to each other, then to the picture's tokens, then go through a feed-forward layer, each behind a
/// layer norm of their own. Nothing tells positions apart.
///
/// - Shapes: `x` [N, T, D], `memory` [N, S, D] → [N, T, D].
/// - Weights: `norm1`, `self_attn`, `norm2`, `multihead_attn`, `norm3`, `linear1`, `linear2`.
/// - Source: `torch.nn.TransformerDecoderLayer` with `norm_first`, as published: the memory is not normalised.
struct DecoderLayer: Sendable {
  private let norms: [LayerNorm]
  private let selfAttention: DecoderAttention
  private let crossAttention: DecoderAttention
  private let inner: Linear
  private let outer: Linear

  init(_ weights: WeightScope, _ configuration: GroundingConfiguration) throws {
    let (width, heads) = (configuration.width, configuration.heads)
    norms = try (1...3).map { try LayerNorm(weights / "norm\($0)", width: width) }
    selfAttention = try DecoderAttention(weights / "self_attn", width: width, heads: heads)
    crossAttention = try DecoderAttention(weights / "multihead_attn", width: width, heads: heads)
    inner = try Linear(weights / "linear1", inputs: width, outputs: configuration.hiddenWidth)
    outer = try Linear(weights / "linear2", inputs: configuration.hiddenWidth, outputs: width)
  }

  func callAsFunction(_ x: Tensor, memory: Tensor) -> Tensor {
    let own = norms[0](x)
    let seen = selfAttention(own, context: own, adding: x)
    let grounded = crossAttention(norms[1](seen), context: memory, adding: seen)
    return outer(relu(inner(norms[2](grounded))), adding: grounded)
  }
}
