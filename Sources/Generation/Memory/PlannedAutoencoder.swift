import LatentDiffusion

/// The autoencoder in figures, on one sample.
struct PlannedAutoencoder {
  let layers: PlannedLayers
  let configuration: AutoencoderConfiguration
  let tiling: AutoencoderTiling

  /// The image [1, H, W, 3] of latents [1, h, w, C].
  func decode(height: Int, width: Int) -> PlannedTensor {
    let widths = Array(configuration.widths.reversed())
    let latents = layers.pool.take([1, height, width, configuration.latentChannels])
    var map = bands(
      middle(layers.convolution(latents, widths[0])),
      tiling.bandHeight(height: height, width: width))
    for (level, channels) in widths.enumerated() {
      for _ in 0...configuration.blockCount { residual(&map, channels) }
      if level < widths.count - 1 {
        trimPool(map)
        replace(&map) { window, own in
          withExtendedLifetime(joined(window)) {
            layers.pool.take([1, 2 * own[1], 2 * own[2], own[3]])
          }
        }
      }
    }
    withExtendedLifetime(moments(map)) {}
    replace(&map) { window, own in
      withExtendedLifetime(normed(window)) {
        layers.pool.take(own.dropLast() + [configuration.outputs])
      }
    }
    return whole(map)
  }

  /// The latents' moments [1, h, w, 2C] of an image [1, H, W, 3].
  func encode(height: Int, width: Int) -> PlannedTensor {
    let unit = configuration.pixelsPerCell
    let image = layers.pool.take([1, height, width, configuration.imageChannels])
    var map = bands(image, unit * tiling.bandHeight(height: height / unit, width: width / unit))
    convolve(&map, configuration.widths[0])
    for (level, channels) in configuration.widths.enumerated() {
      for _ in 0..<configuration.blockCount { residual(&map, channels) }
      if level < configuration.widths.count - 1 { convolve(&map, channels, halves: true) }
    }
    let x = middle(whole(map))
    return layers.convolution(layers.groupNorm(x), 2 * configuration.latentChannels)
  }

  private func middle(_ x: PlannedTensor) -> PlannedTensor {
    let channels = x.shape[3]
    let first = layers.residual(x, channels)
    return layers.residual(
      configuration.attendsInTheMiddle ? attended(first) : first, channels)
  }

  private func attended(_ x: PlannedTensor) -> PlannedTensor {
    let (area, channels) = (x.shape[1] * x.shape[2], x.shape[3])
    let normed = layers.groupNorm(x)
    let tokens = [1, area, channels]
    let mixed = layers.attention(
      layers.pool.take(tokens), layers.pool.take(tokens), layers.pool.take(tokens), heads: 1)
    return withExtendedLifetime((normed, mixed)) { layers.pool.take(x.shape) }
  }

  // MARK: Bands

  /// Bands are views of the whole map at first.
  private func bands(_ map: PlannedTensor, _ height: Int) -> [PlannedBand] {
    stride(from: 0, to: map.shape[1], by: height).map { first in
      PlannedBand(
        storage: map,
        shape: [1, min(height, map.shape[1] - first), map.shape[2], map.shape[3]])
    }
  }

  private func whole(_ map: [PlannedBand]) -> PlannedTensor {
    guard map.count > 1 || map[0].storage.shape != map[0].shape else { return map[0].storage }
    return layers.pool.take(
      [1, map.reduce(0) { $0 + $1.shape[1] }] + map[0].shape.dropFirst(2))
  }

  private func residual(_ map: inout [PlannedBand], _ outputs: Int) {
    trimPool(map)
    var hidden = map
    withExtendedLifetime(moments(map)) {}
    replace(&hidden) { window, own in
      withExtendedLifetime(normed(window)) { layers.pool.take(own.dropLast() + [outputs]) }
    }
    withExtendedLifetime(moments(hidden)) {}
    var index = 0
    replace(&hidden) { window, own in
      let x = map[index]
      map[index] = PlannedBand(storage: layers.pool.take([1]), shape: [1])
      index += 1
      let normed = self.normed(window)
      let shortcut =
        x.shape[3] == outputs ? x.storage : layers.pool.take(own.dropLast() + [outputs])
      return withExtendedLifetime((normed, shortcut, x)) {
        layers.pool.take(own.dropLast() + [outputs])
      }
    }
    map = hidden
  }

  private func trimPool(_ map: [PlannedBand]) {
    if map.count > 1 { layers.pool.trim(above: AutoencoderTiling.keptBytes) }
  }

  private func convolve(_ map: inout [PlannedBand], _ outputs: Int, halves: Bool = false) {
    let stride = halves ? 2 : 1
    replace(&map, reachesAbove: !halves) { window, own in
      withExtendedLifetime(joined(window)) {
        layers.pool.take([1, own[1] / stride, own[2] / stride, outputs])
      }
    }
  }

  /// What a group norm's moments take: two doubles a channel and block of pixels.
  private func moments(_ map: [PlannedBand]) -> PlannedTensor {
    let pixels = map.reduce(0) { $0 + $1.shape[1] * $1.shape[2] }
    let blocks = (pixels + PlannedLayers.normBlock - 1) / PlannedLayers.normBlock
    return layers.pool.take([blocks, 4, map[0].shape[3]])
  }

  /// A band with the rows beyond it; nil where it is alone, and read in place.
  private func joined(_ window: [PlannedBand]) -> PlannedTensor? {
    window.count == 1 ? nil : normed(window)
  }

  private func normed(_ window: [PlannedBand]) -> PlannedTensor {
    layers.pool.take([1, window.reduce(0) { $0 + $1.shape[1] }] + window[0].shape.dropFirst(2))
  }

  private func replace(
    _ map: inout [PlannedBand], reachesAbove: Bool = true,
    _ layer: (_ window: [PlannedBand], _ own: [Int]) -> PlannedTensor
  ) {
    var above: PlannedBand?
    for index in map.indices {
      let own = map[index]
      let below = index + 1 < map.count ? map[index + 1].row : nil
      let made = layer([above, own, below].compactMap(\.self), own.shape)
      map[index] = PlannedBand(storage: made, shape: made.shape)
      above = reachesAbove ? own.row : nil
    }
  }
}
