public import Checkpoints
public import TensorCore

/// Attention with projections of queries, keys, values and output.
///
/// - Shapes: `x` [N, T, D], keys and values from [N, S, C] → [N, T, D].
/// - Weights: `to_q`, `to_k`, `to_v` without bias, `to_out.0` with bias.
/// - Source: diffusers `Attention`; the heads share the width D evenly.
public struct MultiHeadAttention: Sendable {
  /// Projected keys and values, which may be kept while their source does not change.
  public struct KeysAndValues: Sendable {
    /// The keys [N, S, D].
    public let keys: Tensor
    /// The values [N, S, D].
    public let values: Tensor
  }

  /// The number of heads.
  public let heads: Int
  private let toQueries: Linear
  private let toKeys: Linear
  private let toValues: Linear
  private let toOutput: Linear

  /// Reads the layer's tensors.
  ///
  /// - Parameters:
  ///   - weights: the layer's place.
  ///   - width: D, of the queries and the output.
  ///   - contextWidth: C, of what keys and values are made from; D for self-attention.
  ///   - heads: number of heads, a divisor of D.
  /// - Throws: `CheckpointError` with the full key if a tensor is absent or misshapen.
  public init(_ weights: WeightScope, width: Int, contextWidth: Int? = nil, heads: Int) throws {
    guard heads > 0, width % heads == 0 else {
      throw CheckpointError(
        .wrongShape, file: weights.file, key: weights.path,
        "width \(width) does not divide into \(heads) heads; check attention_head_dim")
    }
    self.heads = heads
    let contextWidth = contextWidth ?? width
    toQueries = try Linear(weights / "to_q", inputs: width, outputs: width, bias: false)
    toKeys = try Linear(weights / "to_k", inputs: contextWidth, outputs: width, bias: false)
    toValues = try Linear(weights / "to_v", inputs: contextWidth, outputs: width, bias: false)
    toOutput = try Linear(weights / "to_out" / 0, inputs: width, outputs: width)
  }

  /// Projects `context` [N, S, C].
  public func keysAndValues(of context: Tensor) -> KeysAndValues {
    KeysAndValues(keys: toKeys(context), values: toValues(context))
  }

  /// Applies the layer.
  ///
  /// - Parameters:
  ///   - x: what asks [N, T, D].
  ///   - context: the projected keys and values; those of `x` where nil.
  ///   - residual: added to the output [N, T, D].
  ///   - observe: receives the projected queries [N, T, D] and keys [N, S, D], heads side by side.
  /// - Returns: the attended values [N, T, D].
  public func callAsFunction(
    _ x: Tensor, context: KeysAndValues? = nil, adding residual: Tensor? = nil,
    observe: ((_ queries: Tensor, _ keys: Tensor) -> Void)? = nil
  ) -> Tensor {
    let queries = toQueries(x)
    let context = context ?? keysAndValues(of: x)
    observe?(queries, context.keys)
    let mixed = attention(
      queries: queries, keys: context.keys, values: context.values, heads: heads)
    return toOutput(mixed, adding: residual)
  }
}
