import CKernels

/// Positions that a thread takes at a time.
private let linearAttentionGrain = 16

/// What linear attention over the first axis keeps of keys and values, at every position for itself: Σ k vᵀ and Σ k.
///
/// The sums of parts of the samples may be taken one after another: the bytes are those of all at once, since every
/// sum runs through the samples in their order.
///
/// - Shapes: `keys` and `values` [N, ..., C] with P positions in the middle axes → [P, heads, C / heads + 1, C / heads].
/// - Parameters:
///   - keys: positive, as a feature map makes them.
///   - values: the values.
///   - heads: a divisor of C.
///   - before: the sums of the samples before these; nil where these are the first.
/// - Returns: the sums; they have no rule for gradients.
/// - Source: Katharopoulos et al., "Transformers are RNNs" (2020).
public func linearAttentionSums(
  keys: Tensor, values: Tensor, heads: Int, adding before: Tensor? = nil
) -> Tensor {
  let shape = linearAttentionShape(keys, heads, "linearAttentionSums")
  let sums = [shape.positions, heads, shape.width + 1, shape.width]
  precondition(
    values.shape == keys.shape && before?.shape ?? sums == sums,
    "linearAttentionSums: keys \(keys.shape), values \(values.shape), before \(before?.shape ?? [])")
  precondition(
    !keys.isTracked && !values.isTracked, "linearAttentionSums has no rule for gradients")
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.attention)
  defer { timing.end(operations: 2 * Double(keys.count * shape.width)) }
  return Tensor(shape: sums) { out in
    guard let destination = out.baseAddress else { return }
    keys.withUnsafePointer { keys in
      values.withUnsafePointer { values in
        withOptionalPointer(before) { before in
          Parallel.forRanges(shape.positions, grain: linearAttentionGrain) { range in
            withUnsafePointer(to: shape) {
              ck_linear_attention_sums(
                kernels, $0, keys, values, before, range.lowerBound, range.upperBound, destination)
            }
          }
        }
      }
    }
  }
}

/// What queries read of the sums, added to `residual`: residual + (q · Σ k vᵀ) / (q · Σ k + ε) at every position.
///
/// - Shapes: `queries` and `residual` [N, ..., C], `sums` [P, heads, C / heads + 1, C / heads] → [N, ..., C].
public func linearAttention(
  queries: Tensor, sums: Tensor, heads: Int, epsilon: Float, adding residual: Tensor
) -> Tensor {
  let shape = linearAttentionShape(queries, heads, "linearAttention")
  precondition(
    residual.shape == queries.shape
      && sums.shape == [shape.positions, heads, shape.width + 1, shape.width],
    "linearAttention: queries \(queries.shape), residual \(residual.shape), sums \(sums.shape)")
  precondition(!queries.isTracked, "linearAttention has no rule for gradients")
  let kernels = KernelLevel.kernels
  let timing = OperationTiming(.attention)
  defer { timing.end(operations: 2 * Double(queries.count * shape.width)) }
  return Tensor(shape: queries.shape) { out in
    guard let destination = out.baseAddress else { return }
    queries.withUnsafePointer { queries in
      sums.withUnsafePointer { sums in
        residual.withUnsafePointer { residual in
          Parallel.forRanges(shape.positions, grain: linearAttentionGrain) { range in
            withUnsafePointer(to: shape) {
              ck_linear_attention_read(
                kernels, $0, queries, sums, epsilon, residual, range.lowerBound, range.upperBound,
                destination)
            }
          }
        }
      }
    }
  }
}

private func linearAttentionShape(
  _ x: Tensor, _ heads: Int, _ label: String
) -> ck_linear_attention {
  let c = x.lastDimension
  precondition(
    x.rank >= 2 && x.shape[0] > 0 && heads > 0 && c > 0 && c % heads == 0,
    "\(label): \(x.shape) in \(heads) heads")
  return ck_linear_attention(
    samples: x.shape[0], positions: x.count / (x.shape[0] * c), heads: heads, width: c / heads)
}
