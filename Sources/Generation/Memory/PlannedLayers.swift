import TensorCore

/// The layers of a model in figures: each takes and lets go of tensors as the layer of its name does.
struct PlannedLayers {
  /// Pixels that a group norm sums over at a time.
  static let normBlock = 512

  let pool: PlannedPool

  /// A map or tokens of other channels.
  func linear(_ x: PlannedTensor, _ outputs: Int) -> PlannedTensor {
    pool.take(x.shape.dropLast() + [outputs])
  }

  /// A 3×3 convolution to a map of another size.
  func convolution(_ x: PlannedTensor, _ outputs: Int, height: Int, width: Int) -> PlannedTensor {
    pool.take([x.shape[0], height, width, outputs])
  }

  /// A 3×3 convolution.
  func convolution(_ x: PlannedTensor, _ outputs: Int) -> PlannedTensor { linear(x, outputs) }

  func groupNorm(_ x: PlannedTensor) -> PlannedTensor {
    let out = pool.take(x.shape)
    let (n, area, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
    let blocks = (area + Self.normBlock - 1) / Self.normBlock
    // Two doubles a channel and block.
    withExtendedLifetime(pool.take([n, blocks, 4, channels])) {}
    return out
  }

  func joined(_ parts: [PlannedTensor]) -> PlannedTensor {
    pool.take(parts[0].shape.dropLast() + [parts.reduce(0) { $0 + ($1.shape.last ?? 0) }])
  }

  func residual(_ x: PlannedTensor, _ outputs: Int) -> PlannedTensor {
    let hidden = convolution(groupNorm(x), outputs)
    let normed = groupNorm(hidden)
    let shortcut = x.shape[3] == outputs ? x : linear(x, outputs)
    return withExtendedLifetime((hidden, normed, shortcut)) { pool.take(hidden.shape) }
  }

  func attention(
    _ queries: PlannedTensor, _ keys: PlannedTensor, _ values: PlannedTensor, heads: Int
  ) -> PlannedTensor {
    let (n, s, width) = (queries.shape[0], keys.shape[1], (queries.shape.last ?? 0) / heads)
    let out = pool.take(queries.shape)
    withExtendedLifetime(pool.take([n * heads, padded(s), width])) {
      withExtendedLifetime(pool.take([n * heads, padded(width), s])) {}
    }
    return out
  }

  /// The mean weights over the heads, of some samples.
  func averageAttention(
    _ samples: Int, _ queries: PlannedTensor, _ keys: PlannedTensor, heads: Int
  ) -> PlannedTensor {
    let (t, s, width) = (queries.shape[1], keys.shape[1], (queries.shape.last ?? 0) / heads)
    let out = pool.take([samples, t, s])
    withExtendedLifetime(pool.take([samples * heads, padded(s), width])) {}
    return out
  }

  func padded(_ count: Int) -> Int {
    let unit = PackedWeights.panelColumns
    return (count + unit - 1) / unit * unit
  }
}
