import LatentDiffusion
import TensorCore

/// Adds up attention while the U-Net works, and makes maps of it.
final class AttentionReading: MaskReading {
  /// The most pixels of a map that may refine: its self-attention takes their square.
  private static let usualRefinementLimit = 32 * 32
  private static let refinementLimit = 64 * 64

  private let settings: AttentionSettings
  private let layers: AttentionLayers
  private let batch: ReadingBatch
  /// The attention to the text by level.
  private var text: [Int: AttentionSum] = [:]
  /// The attention among pixels by level, of one level after the first step.
  private var pixels: [Int: AttentionSum] = [:]

  init(_ settings: AttentionSettings, _ layers: AttentionLayers, _ batch: ReadingBatch) {
    (self.settings, self.layers, self.batch) = (settings, layers, batch)
  }

  func taps(step: Int, timestep: Int) -> UNetTaps? {
    guard settings.wants(step: step, of: batch.stepCount) else { return nil }
    let (n, isGiven) = (batch.sampleCount, settings.refinement?.level != nil)
    let level = pixels.keys.min()
    if let level { pixels = pixels.filter { $0.key == level } }
    let refining = layers.pixels.filter { level == nil || $0.level == level }
    return UNetTaps(
      attentionLayers: refining.reduce(layers.text) { $0.union($1.names) },
      attentionSamples: batch.hasUnconditional ? n..<2 * n : 0..<n,
      selfAttentionLimit: isGiven ? Self.refinementLimit : Self.usualRefinementLimit,
      onAttention: { layer, means in
        switch layer.kind {
        case .text: self.text[layer.level, default: AttentionSum()].add(means)
        case .pixels: self.pixels[layer.level, default: AttentionSum()].add(means)
        }
      })
  }

  func maps(sample: Int, queries: [EntityQuery]) throws -> EntityMaps {
    precondition(
      (0..<batch.sampleCount).contains(sample), "sample \(sample) of \(batch.sampleCount)")
    guard let finest = text.keys.min(), let finestSum = text[finest] else {
      throw DiffusionError(
        .invalidSetting, "attention",
        "none of the run's \(batch.stepCount) steps is read; choose others or take all")
    }
    let affinity = try affinity(sample)
    let (height, width) =
      affinity.map { ($0.height, $0.width) } ?? (finestSum.height, finestSum.width)
    let named = queries.indices.filter { !queries[$0].promptTokens.isEmpty }
    var presence = [Float](repeating: 0, count: queries.count)
    var plain: [Float] = []
    for index in named {
      let map = map(sample, tokens: queries[index].promptTokens, height, width)
      presence[index] = self.presence(of: map)
      plain += map
    }
    let refined = refine(plain, affinity, count: named.count)
    let area = height * width
    let probabilities = Tensor(shape: [queries.count, height, width]) { out in
      out.update(repeating: 0)
      for (place, index) in named.enumerated() {
        let scaled = scale(refined[place * area..<(place + 1) * area])
        for (pixel, value) in scaled.enumerated() { out[index * area + pixel] = value }
      }
    }
    return EntityMaps(probabilities: probabilities, presence: presence)
  }

  /// The self-attention of a sample, averaged; nil where maps are not refined.
  private func affinity(_ sample: Int) throws -> (matrix: PackedWeights, height: Int, width: Int)? {
    guard let refinement = settings.refinement else { return nil }
    guard let level = pixels.keys.min(), let sum = pixels[level] else {
      let limit = refinement.level == nil ? Self.usualRefinementLimit : Self.refinementLimit
      throw DiffusionError(
        .invalidSetting, "attention",
        "no level to refine with has at most \(limit) pixels; choose a coarser one or none")
    }
    let area = sum.height * sum.width
    return (
      PackedWeights(linear: sum.mean(sample).reshaped([area, area]), precision: .exact),
      sum.height, sum.width
    )
  }

  /// The attention that some tokens get on average, on a grid.
  private func map(_ sample: Int, tokens: [Int], _ height: Int, _ width: Int) -> [Float] {
    var total = [Float](repeating: 0, count: height * width)
    let layerCount = text.values.reduce(0) { $0 + $1.count }
    for (_, sum) in text.sorted(by: { $0.key < $1.key }) {
      let share = Float(sum.count) / Float(layerCount)
      let map = sum.mean(sample, tokens: tokens)
      let enlarges = height >= sum.height && width >= sum.width
      let resized = MapResampling(enlarges ? .bicubic : .area)(
        map, height: sum.height, width: sum.width, toHeight: height, toWidth: width)
      // Bicubic weights are partly negative.
      for index in total.indices { total[index] += share * max(0, resized[index]) }
    }
    return total
  }

  /// See ``AttentionSource``.
  private func presence(of map: [Float]) -> Float {
    let mean = map.reduce(0.0) { $0 + Double($1) } / Double(map.count)
    let peak = Double(map.max() ?? 0)
    guard peak > mean else { return 0 }
    let share = mean / peak
    return Float(1 - share * share * share * share)
  }

  private func refine(
    _ maps: [Float], _ affinity: (matrix: PackedWeights, height: Int, width: Int)?, count: Int
  ) -> [Float] {
    guard let affinity, let power = settings.refinement?.power, count > 0 else { return maps }
    let area = affinity.height * affinity.width
    // Rows of the matrix sum to 1, so a map's mean goes through unchanged. It is kept out of the products: what is
    // left of a map after some of them may be far smaller than its mean, and would drown in the mean's rounding.
    var (differences, means) = (maps, [Double](repeating: 0, count: count))
    for _ in 0..<power {
      for index in 0..<count {
        let range = index * area..<(index + 1) * area
        let mean = differences[range].reduce(0.0) { $0 + Double($1) } / Double(area)
        means[index] += mean
        for place in range { differences[place] -= Float(mean) }
      }
      differences = linear(Tensor(differences, shape: [count, area]), affinity.matrix).values
    }
    // Scaling by range takes any constant away again.
    guard settings.normalisation == .peak else { return differences }
    return differences.indices.map { differences[$0] + Float(means[$0 / area]) }
  }

  /// Scales a map to 0...1 and moves the threshold to 0.5, by a straight line on either side.
  private func scale(_ map: ArraySlice<Float>) -> [Float] {
    let top = map.max() ?? 0
    let bottom = settings.normalisation == .range ? map.min() ?? 0 : 0
    guard top > bottom else { return map.map { _ in 0 } }
    let threshold = settings.threshold
    return map.map { value in
      let scaled = (value - bottom) / (top - bottom)
      let probability =
        scaled < threshold
        ? 0.5 * scaled / threshold : 0.5 + 0.5 * (scaled - threshold) / (1 - threshold)
      return min(max(probability, 0), 1)
    }
  }
}
