import Foundation

/// Scaled dot-product attention, heads side by side in the last axis.
///
/// - Shapes: `queries` [N, T, heads·d], `keys` and `values` [N, S, heads·d] → [N, T, heads·d].
/// - Parameters:
///   - queries: what asks.
///   - keys: what is compared.
///   - values: what is mixed.
///   - heads: number of heads; the scale is 1/√d.
///   - causal: position t sees keys 0…t only.
/// - Returns: the mixed values.
public func attention(
  queries: Tensor, keys: Tensor, values: Tensor, heads: Int, causal: Bool = false
) -> Tensor {
  let probabilities = attentionProbabilities(
    queries: queries, keys: keys, heads: heads, causal: causal
  ).values
  let (n, t, d) = queries.dimensions3("attention")
  let s = keys.shape[1]
  let width = d / heads
  let v = values.values
  return Tensor(shape: [n, t, d]) { out in
    for b in 0..<n {
      for i in 0..<t {
        for head in 0..<heads {
          for k in 0..<width {
            var sum: Float = 0
            for j in 0..<s {
              sum +=
                probabilities[((b * heads + head) * t + i) * s + j]
                * v[(b * s + j) * d + head * width + k]
            }
            out[(b * t + i) * d + head * width + k] = sum
          }
        }
      }
    }
  }
}

/// The attention weights themselves, for looking inside; ``attention(queries:keys:values:heads:causal:)``
/// never makes them whole.
///
/// - Shapes: `queries` [N, T, heads·d], `keys` [N, S, heads·d] → [N, heads, T, S], rows sum to 1.
public func attentionProbabilities(
  queries: Tensor, keys: Tensor, heads: Int, causal: Bool = false
) -> Tensor {
  let (n, t, d) = queries.dimensions3("attention")
  let s = keys.shape[1]
  precondition(d % heads == 0, "attention: width \(d) is not a multiple of \(heads) heads")
  let width = d / heads
  let scale = 1 / Float(width).squareRoot()
  let (q, k) = (queries.values, keys.values)
  return Tensor(shape: [n, heads, t, s]) { out in
    for b in 0..<n {
      for head in 0..<heads {
        for i in 0..<t {
          let row = ((b * heads + head) * t + i) * s
          var top = -Float.infinity
          for j in 0..<s {
            var sum: Float = 0
            for x in 0..<width {
              sum += q[(b * t + i) * d + head * width + x] * k[(b * s + j) * d + head * width + x]
            }
            out[row + j] = causal && j > i ? -Float.infinity : sum * scale
            top = max(top, out[row + j])
          }
          var total: Float = 0
          for j in 0..<s {
            out[row + j] = exp(out[row + j] - top)
            total += out[row + j]
          }
          for j in 0..<s { out[row + j] /= total }
        }
      }
    }
  }
}
