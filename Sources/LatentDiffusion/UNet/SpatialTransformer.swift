public import Checkpoints
import NeuralLayers
public import TensorCore

/// Transformer blocks over the pixels of a feature map, added to the map.
///
/// - Shapes: `x` [N, H, W, C] → the same.
/// - Weights: `norm`, `proj_in`, `transformer_blocks.i`, `proj_out`; the projections are stored as 1×1
///   convolutions (SD 1) or linear maps (SD 2), which channels last makes the same thing.
/// - Source: diffusers `Transformer2DModel`; ε is its 1e-6.
public struct SpatialTransformer: Sendable {
  let blocks: [TransformerBlock]
  private let norm: GroupNorm
  private let projectionIn: Linear
  private let projectionOut: Linear

  /// Reads the tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  public init(
    _ weights: WeightScope, channels: Int, textWidth: Int, heads: Int, blockCount: Int, groups: Int,
    level: Int
  ) throws {
    norm = try GroupNorm(weights / "norm", channels: channels, groups: groups, epsilon: 1e-6)
    projectionIn = try Linear(weights / "proj_in", inputs: channels, outputs: channels)
    blocks = try (0..<blockCount).map { index in
      try TransformerBlock(
        weights / "transformer_blocks" / index, width: channels, textWidth: textWidth,
        heads: heads, level: level)
    }
    projectionOut = try Linear(weights / "proj_out", inputs: channels, outputs: channels)
  }

  /// Projects the text [N, T, D] for these blocks.
  public func project(text: Tensor) -> ProjectedText {
    ProjectedText(text, for: blocks)
  }

  /// Applies the blocks.
  public func callAsFunction(_ x: Tensor, text: ProjectedText, taps: UNetTaps? = nil) -> Tensor {
    let (n, h, w, c) = x.dimensions4("SpatialTransformer")
    var tokens = projectionIn(norm(x)).reshaped([n, h * w, c])  // [N, H·W, C]
    for block in blocks {
      tokens = block(tokens, text: text[block.crossAttentionLayer]) { layer in
        taps?.observer(of: layer, height: h, width: w)
      }
    }
    return projectionOut(tokens.reshaped([n, h, w, c]), adding: x)
  }
}
