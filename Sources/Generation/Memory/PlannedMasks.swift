import LatentDiffusion
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

/// What a grounding module keeps of the U-Net's last call, in figures; see `GroundingReading`.
final class PlannedGrounding: PlannedDenoiser.Listener {
  private let layers: PlannedLayers
  private let samples: Int
  private let configuration: GroundingConfiguration
  private var sums: [Int: PlannedTensor] = [:]

  init(_ layers: PlannedLayers, _ configuration: GroundingConfiguration, samples: Int) {
    (self.layers, self.configuration, self.samples) = (layers, configuration, samples)
  }

  func hear(block map: PlannedTensor, level: Int) {
    guard configuration.levels.indices.contains(level) else { return }
    for _ in 0..<(configuration.readsUnconditional ? 2 : 1) {
      sums[level] = layers.pool.take(
        [samples, map.shape[1], map.shape[2], configuration.levels[level].width])
    }
  }

  func hear(
    queries: PlannedTensor, keys: PlannedTensor, heads: Int, level: Int, isText: Bool
  ) {}

  /// The maps of a sample's entities at the picture's size.
  func maps(entities: Int, height: Int, width: Int) -> PlannedTensor {
    if let finest = sums[0] {
      // The joined map on its way through a mix of norm, ReLU and convolution.
      let map = [1, finest.shape[1], finest.shape[2], configuration.mapWidth]
      let kept = (0..<4).map { _ in layers.pool.take(map) }
      withExtendedLifetime(kept) {}
    }
    let logits = layers.pool.take([entities, height, width])
    return withExtendedLifetime(logits) { layers.pool.take([entities, height, width]) }
  }
}
