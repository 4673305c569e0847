/// Tensors side by side in the last axis (channels).
///
/// - Shapes: [..., A], [..., B], … → [..., A + B + …].
/// - Gradient: each part's own columns.
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
  let result = Tensor(shape: leading + [width]) { out in
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
  guard parts.contains(where: \.isTracked) else { return result }
  let widths = parts.map { ($0.lastDimension, $0.isTracked) }
  return result.recorded("joinedChannels", from: parts) { gradient in
    var first = 0
    return widths.map { width, isWanted in
      defer { first += width }
      return isWanted ? gradient.columns(first..<first + width) : nil
    }
  }
}

extension Tensor {
  /// The columns `range` of the last axis, copied.
  ///
  /// - Shapes: [..., C] → [..., `range`].
  /// - Gradient: for those columns; zero elsewhere.
  public func columns(_ range: Range<Int>) -> Tensor {
    let width = lastDimension
    precondition(
      rank >= 1 && range.lowerBound >= 0 && range.upperBound <= width,
      "columns: \(range) outside \(shape)")
    let own = range.count
    let result = Tensor(shape: shape.dropLast() + [own]) { out in
      guard let destination = out.baseAddress, own > 0 else { return }
      withUnsafePointer { source in
        Parallel.forRanges(count / width, grain: max(1, elementGrain / own)) { rows in
          for row in rows {
            (destination + row * own).update(
              from: source + row * width + range.lowerBound, count: own)
          }
        }
      }
    }
    return result.recordedParts("columns", from: [self]) { [.columns(range.lowerBound, $0)] }
  }
}

/// Tensors one after another in the first axis (batch).
///
/// - Shapes: [A, ...], [B, ...], … → [A + B + …, ...].
/// - Gradient: each part's own rows.
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
  let result = Tensor(shape: [parts.reduce(0) { $0 + $1.shape[0] }] + trailing) { out in
    var start = 0
    for part in parts {
      part.withUnsafePointer { source in
        out.baseAddress.map { ($0 + start).update(from: source, count: part.count) }
      }
      start += part.count
    }
  }
  guard parts.contains(where: \.isTracked) else { return result }
  let counts = parts.map { $0.shape[0] }
  return result.recorded("joinedRows", from: parts) { gradient in
    var first = 0
    return counts.map { count in
      defer { first += count }
      return gradient.rows(first..<first + count)
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
    let result = withUnsafeBuffer { x in
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
    guard isTracked else { return result }
    return result.recorded("permuted", from: [self]) {
      [$0.permuted(fromChannelsFirst: !fromChannelsFirst)]
    }
  }
}

/// Channels spread over squares of pixels: the squares' rows, then columns, then channels are what a pixel holds.
///
/// - Shapes: `x` [N, H, W, `block`² · C] → [N, `block` · H, `block` · W, C].
/// - Source: TensorFlow `depth_to_space`.
public func depthToSpace(_ x: Tensor, block: Int) -> Tensor {
  precondition(!x.isTracked, "depthToSpace has no rule for gradients")
  let (n, h, w, wide) = x.dimensions4("depthToSpace")
  precondition(
    block > 0 && wide.isMultiple(of: block * block),
    "depthToSpace: \(x.shape) in squares of \(block)")
  let timing = OperationTiming(.joining)
  defer { timing.end() }
  let run = wide / block
  return Tensor(shape: [n, h * block, w * block, run / block]) { out in
    guard let destination = out.baseAddress else { return }
    x.withUnsafePointer { source in
      Parallel.forRanges(n * h * block, grain: max(1, elementGrain / max(w * run, 1))) { rows in
        for row in rows {
          for column in 0..<w {
            (destination + (row * w + column) * run).update(
              from: source + (row / block * w + column) * wide + row % block * run, count: run)
          }
        }
      }
    }
  }
}

/// Rows of a table chosen by index (token and position embeddings).
///
/// - Shapes: `table` [V, D], `ids` T indices → [T, D].
/// - Gradient: each row's, added to the row of the table it came from.
/// - Precondition: every id is in 0..<V.
public func gatheredRows(_ table: Tensor, _ ids: [Int]) -> Tensor {
  let (v, d) = (table.shape[0], table.shape[1])
  let result = table.withUnsafeBuffer { source in
    Tensor(shape: [ids.count, d]) { out in
      for (row, id) in ids.enumerated() {
        precondition(id >= 0 && id < v, "gatheredRows: id \(id) outside 0..<\(v)")
        for k in 0..<d { out[row * d + k] = source[id * d + k] }
      }
    }
  }
  guard table.isTracked else { return result }
  return result.recorded("gatheredRows", from: [table]) { gradient in
    [
      Tensor(shape: [v, d]) { out in
        out.update(repeating: 0)
        gradient.withUnsafeBuffer { source in
          for (row, id) in ids.enumerated() {
            for k in 0..<d { out[id * d + k] += source[row * d + k] }
          }
        }
      }
    ]
  }
}
