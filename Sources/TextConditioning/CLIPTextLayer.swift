import Checkpoints
import NeuralLayers
import TensorCore

/// One layer of the text encoder: causal self-attention and two linear maps, each behind a layer norm and
/// added to its input.
///
/// - Shapes: `x` [N, T, D] → [N, T, D].
/// - Weights: `layer_norm1`, `self_attn.{q,k,v,out}_proj`, `layer_norm2`, `mlp.fc1`, `mlp.fc2`.
/// - Source: transformers `CLIPEncoderLayer`.
struct CLIPTextLayer: Sendable {
  private let norm1: LayerNorm
  private let queries: Linear
  private let keys: Linear
  private let values: Linear
  private let projection: Linear
  private let norm2: LayerNorm
  private let widening: Linear
  private let narrowing: Linear
  private let headCount: Int
  private let activation: CLIPTextConfiguration.Activation

  /// Reads the layer's tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  init(_ weights: WeightScope, _ configuration: CLIPTextConfiguration) throws {
    let (width, inner) = (configuration.width, configuration.innerWidth)
    let attention = weights / "self_attn"
    norm1 = try LayerNorm(weights / "layer_norm1", width: width, epsilon: configuration.epsilon)
    queries = try Linear(attention / "q_proj", inputs: width, outputs: width)
    keys = try Linear(attention / "k_proj", inputs: width, outputs: width)
    values = try Linear(attention / "v_proj", inputs: width, outputs: width)
    projection = try Linear(attention / "out_proj", inputs: width, outputs: width)
    norm2 = try LayerNorm(weights / "layer_norm2", width: width, epsilon: configuration.epsilon)
    widening = try Linear(weights / "mlp" / "fc1", inputs: width, outputs: inner)
    narrowing = try Linear(weights / "mlp" / "fc2", inputs: inner, outputs: width)
    headCount = configuration.headCount
    activation = configuration.activation
  }

  /// Applies the layer.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = norm1(x)
    let mixed = attention(
      queries: queries(y), keys: keys(y), values: values(y), heads: headCount, causal: true)
    let attended = projection(mixed, adding: x)  // [N, T, D]
    let wide = widening(norm2(attended))  // [N, T, inner]
    switch activation {
    case .quickGELU: return narrowing(quickGELU(wide), adding: attended)
    case .gelu: return narrowing(gelu(wide), adding: attended)
    }
  }
}
