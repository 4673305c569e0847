import CKernels

/// Queries whose weights are held at once.
private let queryBlock = 128

/// The gradients of attention for queries, keys and values.
///
/// With P = softmax(Q Kᵀ / √d) of one head and g the gradient of P V: V: Pᵀ g; S = P ∘ (g Vᵀ − rows of Σ P ∘ g Vᵀ);
/// Q: S K / √d; K: Sᵀ Q / √d. The weights are made again, a block of queries at a time.
func attentionGradients(
  _ queries: Tensor, _ keys: Tensor, _ values: Tensor, _ gradient: Tensor, heads: Int, causal: Bool
) -> [Tensor?] {
  let (n, t, d) = queries.dimensions3("attention queries")
  let s = keys.shape[1]
  let head = AttentionHead(
    queryCount: t, keyCount: s, width: d / heads, stride: d, isCausal: causal)
  let (q, kv) = (n * t * d, n * s * d)
  // All three in one block, since one pass makes them.
  let joined = Tensor(shape: [q + 2 * kv]) { out in
    out.update(repeating: 0)
    guard let base = out.baseAddress, t > 0 else { return }
    withPointers(queries, keys, values, gradient) { x in
      Parallel.forEach(n * heads) { piece, _ in
        let (sample, first) = (piece / heads, piece % heads * head.width)
        let (query, key) = (sample * t * d + first, sample * s * d + first)
        head.addGradients(
          x.advanced(query: query, key: key), queries: base + query, keys: base + q + key,
          values: base + q + kv + key)
      }
    }
  }
  return [
    joined.rows(0..<q).reshaped(queries.shape), joined.rows(q..<q + kv).reshaped(keys.shape),
    joined.rows(q + kv..<q + 2 * kv).reshaped(keys.shape),
  ]
}

private func withPointers(
  _ queries: Tensor, _ keys: Tensor, _ values: Tensor, _ gradient: Tensor,
  _ body: (AttentionHead.Operands) -> Void
) {
  queries.withUnsafePointer { q in
    keys.withUnsafePointer { k in
      values.withUnsafePointer { v in
        gradient.withUnsafePointer { g in
          body(.init(queries: q, keys: k, values: v, gradient: g))
        }
      }
    }
  }
}

/// One head of one sample.
private struct AttentionHead {
  var queryCount: Int
  var keyCount: Int
  var width: Int
  /// Floats from one token to the next.
  var stride: Int
  var isCausal: Bool

  struct Operands {
    var queries: UnsafePointer<Float>
    var keys: UnsafePointer<Float>
    var values: UnsafePointer<Float>
    var gradient: UnsafePointer<Float>

    func advanced(query: Int, key: Int) -> Operands {
      Operands(
        queries: queries + query, keys: keys + key, values: values + key,
        gradient: gradient + query)
    }
  }

  private func rows(_ start: UnsafePointer<Float>, _ count: Int) -> BLAS.Matrix {
    .init(start, rows: count, columns: width, stride: stride)
  }

  func addGradients(
    _ x: Operands, queries: UnsafeMutablePointer<Float>, keys: UnsafeMutablePointer<Float>,
    values: UnsafeMutablePointer<Float>
  ) {
    let scale = 1 / Float(width).squareRoot()
    let (k, v) = (rows(x.keys, keyCount), rows(x.values, keyCount))
    withPooledFloats(2 * queryBlock * keyCount) { scratch in
      let (weights, slopes) = (scratch, scratch + queryBlock * keyCount)
      for first in Swift.stride(from: 0, to: queryCount, by: queryBlock) {
        let count = min(queryBlock, queryCount - first)
        let q = rows(x.queries + first * stride, count)
        let g = rows(x.gradient + first * stride, count)
        BLAS.multiply(q, k.turned, factor: scale, into: weights)
        if isCausal { hide(weights, first: first, count: count) }
        ck_softmax(weights, count, keyCount, weights)
        BLAS.multiply(g, v.turned, into: slopes)
        ck_softmax_gradient(weights, slopes, count, keyCount, slopes)
        let (p, s) = (
          BLAS.Matrix(weights, rows: count, columns: keyCount),
          BLAS.Matrix(slopes, rows: count, columns: keyCount)
        )
        BLAS.multiply(p.turned, g, adding: true, into: values, stride: stride)
        BLAS.multiply(s, k, factor: scale, into: queries + first * stride, stride: stride)
        BLAS.multiply(s.turned, q, factor: scale, adding: true, into: keys, stride: stride)
      }
    }
  }

  /// Takes the keys behind each query out of the softmax.
  private func hide(_ scores: UnsafeMutablePointer<Float>, first: Int, count: Int) {
    for row in 0..<count where first + row + 1 < keyCount {
      (scores + row * keyCount + first + row + 1)
        .update(repeating: -.infinity, count: keyCount - first - row - 1)
    }
  }
}
