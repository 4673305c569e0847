public import TensorCore

/// What a call of the U-Net hands out besides its result.
///
/// Only what is asked for is computed or kept. The tensors are the ones the network goes on with; keeping
/// one keeps its memory.
public struct UNetTaps {
  /// The blocks whose outputs are wanted.
  public var blocks: Set<UNetBlock.Place>
  /// The names of the layers whose attention is wanted.
  public var attentionLayers: Set<String>
  /// The samples of the batch whose attention is wanted; nil for all.
  public var attentionSamples: Range<Int>?
  /// The most pixels of a map whose attention to itself is handed out, since it grows with their square.
  public var selfAttentionLimit: Int
  /// Receives each wanted block output [N, H, W, C] in call order.
  public var onBlock: (UNetBlock, Tensor) -> Void
  /// Receives each wanted layer's probabilities, averaged over its heads, in call order: [n, H, W, S], S being the
  /// text's tokens, or the H · W pixels in rows.
  public var onAttention: (AttentionLayer, Tensor) -> Void

  /// Asks for block outputs and attention.
  public init(
    blocks: Set<UNetBlock.Place> = [], attentionLayers: Set<String> = [],
    attentionSamples: Range<Int>? = nil, selfAttentionLimit: Int = .max,
    onBlock: @escaping (UNetBlock, Tensor) -> Void = { _, _ in },
    onAttention: @escaping (AttentionLayer, Tensor) -> Void = { _, _ in }
  ) {
    self.blocks = blocks
    self.attentionLayers = attentionLayers
    self.attentionSamples = attentionSamples
    self.selfAttentionLimit = selfAttentionLimit
    self.onBlock = onBlock
    self.onAttention = onAttention
  }

  /// The receiver of a layer's queries and keys over a map of some size; nil where its attention is not wanted.
  func observer(
    of layer: AttentionLayer, height: Int, width: Int
  ) -> ((_ queries: Tensor, _ keys: Tensor) -> Void)? {
    guard attentionLayers.contains(layer.name),
      layer.kind == .text || height * width <= selfAttentionLimit
    else { return nil }
    return { queries, keys in
      let samples = attentionSamples ?? 0..<queries.shape[0]
      let means = averageAttention(
        queries: queries.rows(samples), keys: keys.rows(samples), heads: layer.heads)
      onAttention(layer, means.reshaped([samples.count, height, width, keys.shape[1]]))
    }
  }

  /// Hands out a block's output where it is wanted.
  func emit(_ block: UNetBlock, _ output: Tensor) {
    if blocks.contains(block.place) { onBlock(block, output) }
  }
}
