/// Tensors side by side in the last axis (channels).
///
/// - Shapes: [..., A], [..., B], … → [..., A + B + …].
public func joinedChannels(_ parts: [Tensor]) -> Tensor {
  precondition(!parts.isEmpty, "joinedChannels: nothing to join")
  let leading = Array(parts[0].shape.dropLast())
  for part in parts {
    precondition(
      Array(part.shape.dropLast()) == leading,
      "joinedChannels: \(parts.map(\.shape)) differ before the last axis")
  }
  let width = parts.reduce(0) { $0 + $1.lastDimension }
  let rows = leading.reduce(1, *)
  let timing = OperationTiming(.joining)
  defer { timing.end() }
  return Tensor(shape: leading + [width]) { out in
    guard let base = out.baseAddress else { return }
    var column = 0
    for part in parts {
      let own = part.lastDimension
      part.withUnsafePointer { source in
        let destination = base + column
        Parallel.forRanges(rows, grain: max(1, elementGrain / max(own, 1))) { rows in
          for row in rows {
            (destination + row * width).update(from: source + row * own, count: own)
          }
        }
      }
      column += own
    }
  }
}

/// Tensors one after another in the first axis (batch).
///
/// - Shapes: [A, ...], [B, ...], … → [A + B + …, ...].
public func joinedRows(_ parts: [Tensor]) -> Tensor {
  precondition(!parts.isEmpty, "joinedRows: nothing to join")
  let trailing = Array(parts[0].shape.dropFirst())
  for part in parts {
    precondition(
      Array(part.shape.dropFirst()) == trailing,
      "joinedRows: \(parts.map(\.shape)) differ after the first axis")
  }
  let timing = OperationTiming(.joining)
  defer { timing.end() }
  return Tensor(shape: [parts.reduce(0) { $0 + $1.shape[0] }] + trailing) { out in
    var start = 0
    for part in parts {
      part.withUnsafePointer { source in
        out.baseAddress.map { ($0 + start).update(from: source, count: part.count) }
      }
      start += part.count
    }
  }
}

extension Tensor {
  /// The feature map from N C H W, the order of PyTorch, diffusers and latent files, to N H W C.
  public func channelsLast() -> Tensor { permuted(fromChannelsFirst: true) }

  /// The feature map from N H W C to N C H W.
  public func channelsFirst() -> Tensor { permuted(fromChannelsFirst: false) }

  private func permuted(fromChannelsFirst: Bool) -> Tensor {
    precondition(rank == 4, "permuting \(shape): expected four axes")
    let (n, c) = (shape[0], fromChannelsFirst ? shape[1] : shape[3])
    let (h, w) = fromChannelsFirst ? (shape[2], shape[3]) : (shape[1], shape[2])
    let area = h * w
    return withUnsafeBuffer { x in
      Tensor(shape: fromChannelsFirst ? [n, h, w, c] : [n, c, h, w]) { out in
        for s in 0..<n {
          for p in 0..<area {
            for k in 0..<c {
              let last = (s * area + p) * c + k
              let first = (s * c + k) * area + p
              if fromChannelsFirst { out[last] = x[first] } else { out[first] = x[last] }
            }
          }
        }
      }
    }
  }
}

/// Rows of a table chosen by index (token and position embeddings).
///
/// - Shapes: `table` [V, D], `ids` T indices → [T, D].
/// - Precondition: every id is in 0..<V.
public func gatheredRows(_ table: Tensor, _ ids: [Int]) -> Tensor {
  let (v, d) = (table.shape[0], table.shape[1])
  return table.withUnsafeBuffer { source in
    Tensor(shape: [ids.count, d]) { out in
      for (row, id) in ids.enumerated() {
        precondition(id >= 0 && id < v, "gatheredRows: id \(id) outside 0..<\(v)")
        for k in 0..<d { out[row * d + k] = source[id * d + k] }
      }
    }
  }
}
