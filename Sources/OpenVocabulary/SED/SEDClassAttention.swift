import Checkpoints
import NeuralLayers
import TensorCore

/// Classes that look at each other, at every position for itself: linear attention and two linear maps, each behind a
/// layer norm and added to its input; the whole is added to what came in once more.
///
/// Classes come a chunk at a time: first all of them are summed up, then each chunk reads the sums. No class is numbered,
/// so there may be any number of them, in any order.
///
/// - Shapes: `x` [T, H, W, C] → [T, H, W, C], T a chunk of classes.
/// - Weights: `norm1`, `attention.{q, k, v}`, `norm2`, `MLP.{0, 2}`.
/// - Source: xb534/SED `model.py` (`ClassTransformerLayer`).
struct SEDClassAttention: Sendable {
  private static let epsilon: Float = 1e-6

  private let norm1: LayerNorm
  private let queries: Linear
  private let keys: Linear
  private let values: Linear
  private let norm2: LayerNorm
  private let widening: Linear
  private let narrowing: Linear

  /// Reads the layer's tensors.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent or misshapen.
  init(_ weights: WeightScope, width: Int) throws {
    let attention = weights / "attention"
    norm1 = try LayerNorm(weights / "norm1", width: width)
    queries = try Linear(attention / "q", inputs: width, outputs: width)
    keys = try Linear(attention / "k", inputs: width, outputs: width)
    values = try Linear(attention / "v", inputs: width, outputs: width)
    norm2 = try LayerNorm(weights / "norm2", width: width)
    widening = try Linear(weights / "MLP" / 0, inputs: width, outputs: 4 * width)
    narrowing = try Linear(weights / "MLP" / 2, inputs: 4 * width, outputs: width)
  }

  /// What a chunk of classes adds to the sums of those before it.
  func sums(_ x: Tensor, pooling: Int, adding before: Tensor?) -> Tensor {
    let y = norm1(averagePooled(x, size: pooling))
    return linearAttentionSums(
      keys: keys(y, then: .positiveELU), values: values(y), heads: SEDConfiguration.attentionHeads,
      adding: before)
  }

  /// Applies the layer to a chunk, by the sums over all classes.
  func callAsFunction(_ x: Tensor, sums: Tensor, pooling: Int) -> Tensor {
    let (_, h, w, _) = x.dimensions4("class attention")
    let pooled = averagePooled(x, size: pooling)
    let attended = linearAttention(
      queries: queries(norm1(pooled), then: .positiveELU), sums: sums,
      heads: SEDConfiguration.attentionHeads, epsilon: Self.epsilon, adding: pooled)
    let mixed = narrowing(widening(norm2(attended), then: .relu), adding: attended)
    return x + bilinearResized(mixed, height: h, width: w, alignsCorners: true)
  }
}
