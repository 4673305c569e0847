public import TensorCore

/// A block of a U-Net, numbered in call order as the original implementation does.
public struct UNetBlock: Sendable, Hashable, CustomStringConvertible {
  /// Which block.
  public enum Place: Sendable, Hashable, CustomStringConvertible {
    /// The first convolution (0), then each residual block (with its transformer) and each downsampler.
    case input(Int)
    /// The middle block.
    case middle
    /// Each residual block on the way up; one that ends with an upsampler yields the larger map.
    case output(Int)

    /// `in0`, `middle`, `out0`, …
    public var description: String {
      switch self {
      case .input(let index): "in\(index)"
      case .middle: "middle"
      case .output(let index): "out\(index)"
      }
    }
  }

  /// Which block.
  public let place: Place
  /// The size of its output: 0 is that of the latents, 1 half of it, and so on.
  public let level: Int
  /// The channels of its output.
  public let channels: Int

  /// Place, level and channels.
  public var description: String { "\(place) (level \(level), \(channels) channels)" }
}

/// A layer that attends from the image to the text.
public struct CrossAttentionLayer: Sendable, Hashable {
  /// Its path in the checkpoint, such as `down_blocks.0.attentions.1.transformer_blocks.0.attn2`.
  public let name: String
  /// The size of its map: 0 is that of the latents, 1 half of it, and so on.
  public let level: Int
  /// The number of heads.
  public let heads: Int
}

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
