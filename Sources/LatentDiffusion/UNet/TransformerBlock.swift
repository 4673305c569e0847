public import Checkpoints
public import NeuralLayers
public import TensorCore

/// Self-attention, attention to the text and a gated feed-forward layer, each behind a norm and added.
///
/// - Shapes: `x` [N, T, D], text keys and values [N, S, D] → [N, T, D].
/// - Weights: `norm1`, `attn1`, `norm2`, `attn2`, `norm3`, `ff`.
/// - Source: diffusers `BasicTransformerBlock`; ε is its 1e-5.
public struct TransformerBlock: Sendable {
  /// The layer that attends to the picture itself, for taps.
  public let selfAttentionLayer: AttentionLayer
  /// The layer that attends to the text, for taps.
  public let crossAttentionLayer: AttentionLayer
  private let norm1: LayerNorm
  private let selfAttention: MultiHeadAttention
  private let norm2: LayerNorm
  private let crossAttention: MultiHeadAttention
  private let norm3: LayerNorm
  private let feedForward: FeedForward

  /// Reads the block's tensors; `level` is only noted for taps.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(_ weights: WeightScope, width: Int, textWidth: Int, heads: Int, level: Int) throws {
    selfAttentionLayer = AttentionLayer(
      kind: .pixels, name: (weights / "attn1").path, level: level, heads: heads)
    crossAttentionLayer = AttentionLayer(
      kind: .text, name: (weights / "attn2").path, level: level, heads: heads)
    norm1 = try LayerNorm(weights / "norm1", width: width)
    selfAttention = try MultiHeadAttention(weights / "attn1", width: width, heads: heads)
    norm2 = try LayerNorm(weights / "norm2", width: width)
    crossAttention = try MultiHeadAttention(
      weights / "attn2", width: width, contextWidth: textWidth, heads: heads)
    norm3 = try LayerNorm(weights / "norm3", width: width)
    feedForward = try FeedForward(weights / "ff", width: width)
  }

  /// The text's keys and values for this block.
  public func project(text: Tensor) -> MultiHeadAttention.KeysAndValues {
    crossAttention.keysAndValues(of: text)
  }

  /// Applies the block.
  ///
  /// - Parameters:
  ///   - x: image tokens.
  ///   - text: see ``project(text:)``.
  ///   - observer: the receiver of a layer's queries and keys, nil where they are not wanted.
  /// - Returns: the new tokens.
  public func callAsFunction(
    _ x: Tensor, text: MultiHeadAttention.KeysAndValues,
    observer: (AttentionLayer) -> ((_ queries: Tensor, _ keys: Tensor) -> Void)? = { _ in nil }
  ) -> Tensor {
    var x = selfAttention(norm1(x), adding: x, observe: observer(selfAttentionLayer))
    x = crossAttention(
      norm2(x), context: text, adding: x, observe: observer(crossAttentionLayer))
    return feedForward(norm3(x), adding: x)
  }
}
