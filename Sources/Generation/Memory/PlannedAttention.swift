import MaskGrounding

/// What attention keeps of the U-Net's calls, in figures; see `AttentionReading`.
final class PlannedAttention: PlannedDenoiser.Listener {
  /// The most pixels of a map that may refine, where no level is named and where one is.
  private static let refinementLimits = (usual: 32 * 32, named: 64 * 64)

  private let layers: PlannedLayers
  private let samples: Int
  private let settings: AttentionSettings
  private var sums: [String: PlannedTensor] = [:]
  /// The pixels of the map that refines; 0 before one is known.
  private(set) var refiningPixels = 0

  init(_ layers: PlannedLayers, _ settings: AttentionSettings, samples: Int) {
    (self.layers, self.settings, self.samples) = (layers, settings, samples)
  }

  func hear(block map: PlannedTensor, level: Int) {}

  func hear(
    queries: PlannedTensor, keys: PlannedTensor, heads: Int, level: Int, isText: Bool
  ) {
    let pixels = queries.shape[1]
    if isText {
      guard settings.levels?.contains(level) ?? true else { return }
    } else {
      guard let refinement = settings.refinement else { return }
      let limits = Self.refinementLimits
      guard refinement.level ?? level == level,
        pixels <= (refinement.level == nil ? limits.usual : limits.named)
      else { return }
      refiningPixels = max(refiningPixels, pixels)
    }
    let means = layers.averageAttention(samples, queries, keys, heads: heads)
    let place = "\(level) \(isText)"
    if sums[place] == nil {
      sums[place] = means
    } else {
      sums[place] = withExtendedLifetime(means) { layers.pool.take(means.shape) }
    }
  }

  /// The maps of a sample's entities at the size of the grid that refines.
  func maps(entities: Int) -> PlannedTensor {
    let area = max(refiningPixels, 1)
    let mean = layers.pool.take([refiningPixels, refiningPixels])
    let packed = layers.pool.take([layers.padded(refiningPixels), refiningPixels])
    return withExtendedLifetime((mean, packed)) { layers.pool.take([entities, area]) }
  }
}
