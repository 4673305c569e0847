import NeuralLayers
import TensorCore

/// The text's keys and values for every cross-attention layer of a U-Net.
///
/// The text stays the same over all steps of a run, so it is projected once; see ``UNet/project(text:)``.
public struct ProjectedText: Sendable {
  /// The number of samples.
  public let count: Int
  /// By layer name.
  let layers: [String: MultiHeadAttention.KeysAndValues]

  init(_ text: Tensor, for blocks: [TransformerBlock]) {
    count = text.shape[0]
    var layers: [String: MultiHeadAttention.KeysAndValues] = [:]
    for block in blocks { layers[block.crossAttentionLayer.name] = block.project(text: text) }
    self.layers = layers
  }

  subscript(layer: AttentionLayer) -> MultiHeadAttention.KeysAndValues {
    guard let projected = layers[layer.name] else {
      preconditionFailure("\(layer.name): the text was projected for another U-Net")
    }
    return projected
  }
}
