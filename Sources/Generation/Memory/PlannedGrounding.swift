import MaskGrounding

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
