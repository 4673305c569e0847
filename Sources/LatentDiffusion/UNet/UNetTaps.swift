public import TensorCore

/// What a call of the U-Net hands out besides its result.
///
/// Only what is asked for is computed or kept. The tensors are the ones the network goes on with; keeping
/// one keeps its memory.
public struct UNetTaps {
  /// The blocks whose outputs are wanted.
  public var blocks: Set<UNetBlock.Place>
  /// The names of the layers whose probabilities are wanted.
  public var attentionLayers: Set<String>
  /// Receives each wanted block output [N, H, W, C] in call order.
  public var onBlock: (UNetBlock, Tensor) -> Void
  /// Receives each wanted layer's probabilities [N, heads, H·W, T] in call order.
  public var onAttention: (CrossAttentionLayer, Tensor) -> Void

  /// Asks for block outputs and probabilities.
  public init(
    blocks: Set<UNetBlock.Place> = [], attentionLayers: Set<String> = [],
    onBlock: @escaping (UNetBlock, Tensor) -> Void = { _, _ in },
    onAttention: @escaping (CrossAttentionLayer, Tensor) -> Void = { _, _ in }
  ) {
    self.blocks = blocks
    self.attentionLayers = attentionLayers
    self.onBlock = onBlock
    self.onAttention = onAttention
  }

  /// The receiver for a layer; nil where its probabilities are not wanted.
  func observer(of layer: CrossAttentionLayer) -> ((Tensor) -> Void)? {
    guard attentionLayers.contains(layer.name) else { return nil }
    return { onAttention(layer, $0) }
  }

  /// Hands out a block's output where it is wanted.
  func emit(_ block: UNetBlock, _ output: Tensor) {
    if blocks.contains(block.place) { onBlock(block, output) }
  }
}
