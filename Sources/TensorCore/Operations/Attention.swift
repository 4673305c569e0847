import CKernels

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
  let (n, t, d) = queries.dimensions3("attention queries")
  let (keySamples, s, keyWidth) = keys.dimensions3("attention keys")
  precondition(
    keySamples == n && keyWidth == d && values.shape == keys.shape && s > 0,
    "attention: queries \(queries.shape), keys \(keys.shape), values \(values.shape)")
  precondition(
    heads > 0 && d % heads == 0, "attention: width \(d) is not a multiple of \(heads) heads")
  let width = d / heads
  let kernels = KernelLevel.kernels
  let isNarrow =
    Precision.selected != .exact && ck_multiplies_bfloat16(kernels) == 1 && !causal
  let job = ck_attention(
    queries: nil, keys: nil, values: nil, samples: n, query_count: t, key_count: s, heads: heads,
    width: width, query_stride: d, key_stride: d, value_stride: d, causal: causal ? 1 : 0,
    bfloat16: isNarrow ? 1 : 0, packed_keys: nil, packed_values: nil, output: nil)
  let (keyFloats, valueFloats) = withUnsafePointer(to: job) {
    (ck_attention_key_floats(kernels, $0), ck_attention_value_floats(kernels, $0))
  }
  let timing = OperationTiming(.attention)
  defer { timing.end(operations: 4 * Double(n * d) * Double(t * s), isNarrow: isNarrow) }
  return Tensor(shape: queries.shape) { out in
    guard let destination = out.baseAddress, t > 0 else { return }
    queries.withUnsafePointer { q in
      keys.withUnsafePointer { k in
        values.withUnsafePointer { v in
          withPooledFloats(n * heads * keyFloats) { packedKeys in
            withPooledFloats(n * heads * valueFloats) { packedValues in
              var job = job
              (job.queries, job.keys, job.values) = (q, k, v)
              (job.packed_keys, job.packed_values) = (packedKeys, packedValues)
              job.output = destination
              attend(job, kernels)
            }
          }
        }
      }
    }
  }
}

/// Packs all heads, then works through all blocks of queries.
private func attend(_ job: ck_attention, _ kernels: OpaquePointer) {
  pack(job, kernels)
  let (block, scratch) = withUnsafePointer(to: job) {
    (ck_attention_block($0), ck_attention_scratch_floats(kernels, $0))
  }
  let blocks = (job.query_count + block - 1) / block
  Parallel.forEach(job.samples * job.heads * blocks, scratch: scratch) { piece, scratch in
    let (head, block) = (piece / blocks, piece % blocks)
    withUnsafePointer(to: job) {
      ck_attention_attend(kernels, $0, head / job.heads, head % job.heads, block, scratch)
    }
  }
}

/// The mean over the heads of the attention weights, which ``attention(queries:keys:values:heads:causal:)`` never
/// makes.
///
/// - Shapes: `queries` [N, T, heads·d], `keys` [N, S, heads·d] → [N, T, S], rows sum to 1.
/// - Parameters:
///   - queries: what asks.
///   - keys: what is compared.
///   - heads: number of heads; the scale is 1/√d.
/// - Returns: the mean weights; no sample's depend on the others'.
public func averageAttention(queries: Tensor, keys: Tensor, heads: Int) -> Tensor {
  let (n, t, d) = queries.dimensions3("attention queries")
  let s = keys.dimensions3("attention keys").t
  precondition(
    keys.shape == [n, s, d] && s > 0, "attention: queries \(queries.shape), keys \(keys.shape)")
  precondition(
    heads > 0 && d % heads == 0, "attention: width \(d) is not a multiple of \(heads) heads")
  let width = d / heads
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.attention)
  defer { timing.end(operations: 2 * Double(n * d) * Double(t * s)) }
  return Tensor(shape: [n, t, s]) { out in
    guard let destination = out.baseAddress, n * t > 0 else { return }
    queries.withUnsafePointer { q in
      keys.withUnsafePointer { k in
        var job = ck_attention(
          queries: q, keys: k, values: nil, samples: n, query_count: t, key_count: s,
          heads: heads, width: width, query_stride: d, key_stride: d, value_stride: d, causal: 0,
          bfloat16: 0, packed_keys: nil, packed_values: nil, output: destination)
        let floats = withUnsafePointer(to: job) { ck_attention_key_floats(kernels, $0) }
        withPooledFloats(n * heads * floats) { packedKeys in
          job.packed_keys = packedKeys
          average(job, kernels)
        }
      }
    }
  }
}

/// Packs the keys of all heads, then works through all blocks of queries.
private func average(_ job: ck_attention, _ kernels: OpaquePointer) {
  let work = job.samples * job.query_count * job.key_count * job.heads * job.width
  // As for products: waking another thread costs more than so little work.
  let isSmall = work < 2_000_000
  pack(job, kernels, alone: isSmall)
  let block = withUnsafePointer(to: job) { ck_attention_block($0) }
  let blocks = (job.query_count + block - 1) / block
  let scratch = ck_average_scratch_floats(kernels, job.key_count)
  forEach(job.samples * blocks, alone: isSmall, scratch: scratch) { piece, scratch in
    withUnsafePointer(to: job) {
      ck_attention_average(kernels, $0, piece / blocks, piece % blocks, scratch)
    }
  }
}

/// Works through pieces, on the calling thread alone where asked.
private func forEach(
  _ pieces: Int, alone: Bool, scratch: Int,
  _ body: (_ piece: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
) {
  guard alone else { return Parallel.forEach(pieces, scratch: scratch, body) }
  withPooledFloats(max(1, scratch)) { scratch in
    for piece in 0..<pieces { body(piece, scratch) }
  }
}

private func pack(_ job: ck_attention, _ kernels: OpaquePointer, alone: Bool = false) {
  forEach(job.samples * job.heads, alone: alone, scratch: 0) { piece, _ in
    withUnsafePointer(to: job) {
      ck_attention_pack(kernels, $0, piece / job.heads, piece % job.heads)
    }
  }
}
