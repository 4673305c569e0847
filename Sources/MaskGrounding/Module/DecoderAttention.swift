import Checkpoints
import NeuralLayers
import TensorCore

/// Attention without biases, the three input projections stored as one matrix.
///
/// - Shapes: `x` [N, T, D], `context` [N, S, D] → [N, T, D].
/// - Weights: `in_proj_weight` [3D, D] (queries, keys, values), `out_proj.weight` [D, D].
/// - Source: `torch.nn.MultiheadAttention` with `bias=False`.
struct DecoderAttention: Sendable {
  private let heads: Int
  private let toQueries: PackedWeights
  private let toKeys: PackedWeights
  private let toValues: PackedWeights
  private let toOutput: Linear

  init(_ weights: WeightScope, width: Int, heads: Int) throws {
    self.heads = heads
    let joined = try weights.tensor("in_proj_weight", [3 * width, width])
    let type = weights.type(of: "in_proj_weight") ?? .float32
    let parts = (0..<3).map { part in
      PackedWeights(linear: joined.rows(part * width..<(part + 1) * width), storedAs: type)
    }
    (toQueries, toKeys, toValues) = (parts[0], parts[1], parts[2])
    toOutput = try Linear(weights / "out_proj", inputs: width, outputs: width, bias: false)
  }

  func callAsFunction(_ x: Tensor, context: Tensor, adding residual: Tensor) -> Tensor {
    let mixed = attention(
      queries: linear(x, toQueries), keys: linear(context, toKeys),
      values: linear(context, toValues), heads: heads)
    return toOutput(mixed, adding: residual)
  }
}
