import NeuralLayers

/// The text's keys and values for every cross-attention layer of a U-Net.
///
/// The text stays the same over all steps of a run, so it is projected once; see ``UNet/project(text:)``.
public struct ProjectedText: Sendable {
  /// The number of samples.
  public let count: Int
  /// By layer name.
  let layers: [String: MultiHeadAttention.KeysAndValues]

  subscript(layer: CrossAttentionLayer) -> MultiHeadAttention.KeysAndValues {
    guard let projected = layers[layer.name] else {
      preconditionFailure("\(layer.name): the text was projected for another U-Net")
    }
    return projected
  }
}
