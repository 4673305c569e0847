import Checkpoints
import NeuralLayers
import TensorCore

extension TransformerLayer {
  /// Reads one layer of the text encoder, where no token sees later ones.
  ///
  /// - Weights: `layer_norm1`, `self_attn.{q,k,v,out}_proj`, `layer_norm2`, `mlp.fc1`, `mlp.fc2`.
  /// - Throws: `CheckpointError` with the full key if a tensor is absent or misshapen.
  /// - Source: transformers `CLIPEncoderLayer`.
  init(_ weights: WeightScope, _ configuration: CLIPTextConfiguration) throws {
    let (width, inner) = (configuration.width, configuration.innerWidth)
    let attention = weights / "self_attn"
    self.init(
      norm1: try LayerNorm(weights / "layer_norm1", width: width, epsilon: configuration.epsilon),
      queries: try Linear(attention / "q_proj", inputs: width, outputs: width),
      keys: try Linear(attention / "k_proj", inputs: width, outputs: width),
      values: try Linear(attention / "v_proj", inputs: width, outputs: width),
      projection: try Linear(attention / "out_proj", inputs: width, outputs: width),
      norm2: try LayerNorm(weights / "layer_norm2", width: width, epsilon: configuration.epsilon),
      widening: try Linear(weights / "mlp" / "fc1", inputs: width, outputs: inner),
      narrowing: try Linear(weights / "mlp" / "fc2", inputs: inner, outputs: width),
      headCount: configuration.headCount, isCausal: true,
      activation: configuration.activation == .gelu ? gelu : quickGELU)
  }
}
