import LatentDiffusion

/// The U-Net in figures, and who listens to it.
struct PlannedDenoiser {
  /// Hears what the U-Net hands out.
  protocol Listener: AnyObject {
    /// A block's output.
    func hear(block map: PlannedTensor, level: Int)
    /// A layer's queries and keys [N, T, D].
    func hear(
      queries: PlannedTensor, keys: PlannedTensor, heads: Int, level: Int, isText: Bool)
  }

  let layers: PlannedLayers
  let configuration: UNetConfiguration

  /// The text's keys and values, one pair for every transformer block.
  func projectedText(rows: Int, tokens: Int) -> [PlannedTensor] {
    var pairs: [PlannedTensor] = []
    for level in 0..<configuration.levelCount {
      let depth = configuration.transformerCounts[level]
      let up = configuration.upAttention[configuration.levelCount - 1 - level]
      let transformers =
        (configuration.downAttention[level] ? configuration.blockCounts[level] : 0)
        + (up ? configuration.blockCounts[level] + 1 : 0)
        + (level == configuration.levelCount - 1 ? 1 : 0)
      for _ in 0..<2 * depth * transformers {
        pairs.append(layers.pool.take([rows, tokens, configuration.widths[level]]))
      }
    }
    return pairs
  }

  /// One call on latents [N, h, w, C].
  func predict(_ latents: PlannedTensor, tokens: Int, listener: (any Listener)?) -> PlannedTensor {
    var skips = [layers.convolution(latents, configuration.widths[0])]
    var x = skips[0]
    listener?.hear(block: x, level: 0)
    for level in 0..<configuration.levelCount {
      for (output, at) in down(x, level, tokens, listener) {
        listener?.hear(block: output, level: at)
        skips.append(output)
        x = output
      }
    }
    let lowest = configuration.levelCount - 1
    x = layers.residual(
      transformer(layers.residual(x, x.shape[3]), lowest, tokens, listener), x.shape[3])
    listener?.hear(block: x, level: lowest)
    for level in (0..<configuration.levelCount).reversed() {
      x = up(x, level, &skips, tokens, listener)
    }
    return layers.convolution(layers.groupNorm(x), configuration.outputs)
  }

  private func down(
    _ x: PlannedTensor, _ level: Int, _ tokens: Int, _ listener: (any Listener)?
  ) -> [(PlannedTensor, level: Int)] {
    var outputs: [(PlannedTensor, level: Int)] = []
    var x = x
    let channels = configuration.widths[level]
    for _ in 0..<configuration.blockCounts[level] {
      x = layers.residual(x, channels)
      if configuration.downAttention[level] { x = transformer(x, level, tokens, listener) }
      outputs.append((x, level))
    }
    if level < configuration.levelCount - 1 {
      let ceiling = configuration.downsamplePadding
      outputs.append(
        (
          layers.convolution(
            x, channels, height: (x.shape[1] + ceiling) / 2, width: (x.shape[2] + ceiling) / 2),
          level + 1
        ))
    }
    return outputs
  }

  private func up(
    _ x: PlannedTensor, _ level: Int, _ skips: inout [PlannedTensor], _ tokens: Int,
    _ listener: (any Listener)?
  ) -> PlannedTensor {
    var x = x
    let channels = configuration.widths[level]
    let last = configuration.blockCounts[level]
    for index in 0...last {
      x = layers.residual(layers.joined([x, skips.removeLast()]), channels)
      if configuration.upAttention[configuration.levelCount - 1 - level] {
        x = transformer(x, level, tokens, listener)
      }
      let grows = index == last && level > 0
      if grows, let next = skips.last {
        x = layers.convolution(x, channels, height: next.shape[1], width: next.shape[2])
      }
      listener?.hear(block: x, level: grows ? level - 1 : level)
    }
    return x
  }

  private func transformer(
    _ x: PlannedTensor, _ level: Int, _ tokens: Int, _ listener: (any Listener)?
  ) -> PlannedTensor {
    let (n, area, width) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
    let heads = configuration.headCounts[level]
    var sequence = layers.linear(layers.groupNorm(x), width)
    for _ in 0..<configuration.transformerCounts[level] {
      let (shape, before) = ([n, area, width], sequence)
      sequence = attended(layers.pool.take(shape), heads, level, textTokens: nil, listener)
      sequence = attended(layers.pool.take(shape), heads, level, textTokens: tokens, listener)
      sequence = withExtendedLifetime(before) { feedForward(layers.pool.take(shape)) }
    }
    return withExtendedLifetime(sequence) { layers.pool.take(x.shape) }
  }

  /// Attention of normed tokens, to themselves or to the text, whose keys and values are kept elsewhere.
  private func attended(
    _ normed: PlannedTensor, _ heads: Int, _ level: Int, textTokens: Int?,
    _ listener: (any Listener)?
  ) -> PlannedTensor {
    let width = normed.shape[2]
    let queries = layers.linear(normed, width)
    let keys: PlannedTensor
    let values: PlannedTensor
    if let textTokens {
      let unkept = PlannedPool()
      keys = unkept.take([normed.shape[0], textTokens, width])
      values = keys
    } else {
      keys = layers.linear(normed, width)
      values = layers.linear(normed, width)
    }
    listener?.hear(
      queries: queries, keys: keys, heads: heads, level: level, isText: textTokens != nil)
    let mixed = layers.attention(queries, keys, values, heads: heads)
    return withExtendedLifetime((normed, queries, keys, values)) { layers.linear(mixed, width) }
  }

  private func feedForward(_ normed: PlannedTensor) -> PlannedTensor {
    let width = normed.shape[2]
    return layers.linear(layers.linear(layers.linear(normed, 8 * width), 4 * width), width)
  }
}
