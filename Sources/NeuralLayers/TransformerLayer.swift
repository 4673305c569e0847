public import TensorCore

/// One layer of a transformer: self-attention and two linear maps, each behind a layer norm and added to its input.
///
/// - Shapes: `x` [N, T, D] → [N, T, D].
/// - Source: "On Layer Normalization in the Transformer Architecture" (2020), pre-norm; the layer of CLIP's text encoder
///   and of vision transformers.
public struct TransformerLayer: Sendable {
  private let norm1: LayerNorm
  private let queries: Linear
  private let keys: Linear
  private let values: Linear
  private let projection: Linear
  private let norm2: LayerNorm
  private let widening: Linear
  private let narrowing: Linear
  private let headCount: Int
  private let isCausal: Bool
  private let activation: @Sendable (Tensor) -> Tensor

  /// Puts a layer together from its parts, which checkpoints name in many ways.
  ///
  /// - Parameters:
  ///   - norm1: before the attention.
  ///   - queries: D → D.
  ///   - keys: D → D.
  ///   - values: D → D.
  ///   - projection: of the attended values.
  ///   - norm2: before the two linear maps.
  ///   - widening: D → I.
  ///   - narrowing: I → D.
  ///   - headCount: a divisor of D.
  ///   - isCausal: whether no token sees later ones.
  ///   - activation: between the two linear maps, element by element.
  public init(
    norm1: LayerNorm, queries: Linear, keys: Linear, values: Linear, projection: Linear,
    norm2: LayerNorm, widening: Linear, narrowing: Linear, headCount: Int, isCausal: Bool,
    activation: @escaping @Sendable (Tensor) -> Tensor
  ) {
    (self.norm1, self.norm2) = (norm1, norm2)
    (self.queries, self.keys, self.values) = (queries, keys, values)
    (self.projection, self.widening, self.narrowing) = (projection, widening, narrowing)
    (self.headCount, self.isCausal, self.activation) = (headCount, isCausal, activation)
  }

  /// Applies the layer.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = norm1(x)
    let mixed = attention(
      queries: queries(y), keys: keys(y), values: values(y), heads: headCount, causal: isCausal)
    let attended = projection(mixed, adding: x)  // [N, T, D]
    let wide = activation(widening(norm2(attended)))  // [N, T, I]
    return narrowing(wide, adding: attended)
  }
}
