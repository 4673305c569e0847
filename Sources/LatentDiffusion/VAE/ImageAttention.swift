import Checkpoints
import NeuralLayers
import TensorCore

/// Attention of one head among all pixels of a map, added to the map.
///
/// - Shapes: `x` [N, H, W, C] → the same.
/// - Weights: `group_norm`, `to_q`, `to_k`, `to_v`, `to_out.0`; in older files `query`, `key`, `value`,
///   `proj_attn`, there also as 1×1 convolutions.
/// - Source: diffusers `Attention` as the autoencoder's middle block uses it.
struct ImageAttention: Sendable {
  private let norm: GroupNorm
  private let toQueries: Linear
  private let toKeys: Linear
  private let toValues: Linear
  private let toOutput: Linear

  init(_ weights: WeightScope, channels: Int, groups: Int, epsilon: Float) throws {
    norm = try GroupNorm(
      weights / "group_norm", channels: channels, groups: groups, epsilon: epsilon)
    let isOld = (weights / "query").contains("weight")
    func projection(_ place: WeightScope) throws -> Linear {
      try Linear(place, inputs: channels, outputs: channels)
    }
    toQueries = try projection(weights / (isOld ? "query" : "to_q"))
    toKeys = try projection(weights / (isOld ? "key" : "to_k"))
    toValues = try projection(weights / (isOld ? "value" : "to_v"))
    toOutput = try projection(isOld ? weights / "proj_attn" : weights / "to_out" / 0)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (n, h, w, c) = x.dimensions4("ImageAttention")
    let tokens = norm(x).reshaped([n, h * w, c])  // [N, H·W, C]
    let mixed = attention(
      queries: toQueries(tokens), keys: toKeys(tokens), values: toValues(tokens), heads: 1)
    return toOutput(mixed, adding: x.reshaped([n, h * w, c])).reshaped([n, h, w, c])
  }
}
