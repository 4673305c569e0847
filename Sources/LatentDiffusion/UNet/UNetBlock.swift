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

    /// The number behind `in` or `out`, or `middle`.
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

/// A layer that attends from the pixels of a feature map to the text, or to each other.
public struct AttentionLayer: Sendable, Hashable {
  /// What a layer attends to.
  public enum Kind: Sendable, Hashable {
    /// The text.
    case text
    /// The pixels of the same feature map.
    case pixels
  }

  /// What it attends to.
  public let kind: Kind
  /// Its path in the checkpoint, such as `down_blocks.0.attentions.1.transformer_blocks.0.attn2` (`attn1` where it
  /// attends to the pixels).
  public let name: String
  /// The size of its map: 0 is that of the latents, 1 half of it, and so on.
  public let level: Int
  /// The number of heads.
  public let heads: Int
}
