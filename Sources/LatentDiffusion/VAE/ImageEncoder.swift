import Checkpoints
import NeuralLayers
import TensorCore

/// From an image to the mean and log variance of its latent.
///
/// - Shapes: [N, H, W, 3] → [N, H/s, W/s, 2·latent channels].
/// - Weights: `conv_in`, `down_blocks.i`, `mid_block`, `conv_norm_out`, `conv_out`.
/// - Source: diffusers `Encoder`.
struct ImageEncoder: Sendable {
  private struct Level: Sendable {
    var residuals: [ResidualBlock]
    var downsampler: Conv2D?
  }

  private let convIn: Conv2D
  private let levels: [Level]
  private let middle: AutoencoderMiddle
  private let normOut: GroupNorm
  private let convOut: Conv2D

  /// The first and the last convolution stay exact, as in ``ImageDecoder``.
  init(_ weights: WeightScope, _ configuration: AutoencoderConfiguration) throws {
    let (widths, groups) = (configuration.widths, configuration.groups)
    let last = widths.count - 1
    convIn = try Conv2D(
      weights / "conv_in", inputs: configuration.imageChannels, outputs: widths[0], kernel: 3,
      precision: .exact)
    levels = try widths.indices.map { level in
      let place = weights / "down_blocks" / level
      let width = widths[level]
      let residuals = try (0..<configuration.blockCount).map { index in
        try ResidualBlock(
          place / "resnets" / index, inputs: index == 0 ? widths[max(level - 1, 0)] : width,
          outputs: width, groups: groups, epsilon: AutoencoderMiddle.epsilon)
      }
      // Halving pads below and on the right only.
      let downsampler =
        level == last
        ? nil
        : try Conv2D(
          place / "downsamplers" / 0 / "conv", inputs: width, outputs: width, kernel: 3, stride: 2,
          padding: Padding(top: 0, bottom: 1, left: 0, right: 1))
      return Level(residuals: residuals, downsampler: downsampler)
    }
    middle = try AutoencoderMiddle(
      weights / "mid_block", channels: widths[last], groups: groups,
      attends: configuration.attendsInTheMiddle)
    normOut = try GroupNorm(
      weights / "conv_norm_out", channels: widths[last], groups: groups,
      epsilon: AutoencoderMiddle.epsilon)
    convOut = try Conv2D(
      weights / "conv_out", inputs: widths[last], outputs: 2 * configuration.latentChannels,
      kernel: 3, precision: .exact)
  }

  /// Encodes images [N, H, W, 3], sample by sample, in bands of so many rows of latent cells.
  func callAsFunction(_ images: Tensor, bandHeight: Int) -> Tensor {
    let samples = (0..<images.shape[0]).map { encoded(images.rows($0..<$0 + 1), bandHeight) }
    return samples.count == 1 ? samples[0] : joinedRows(samples)
  }

  private func encoded(_ image: Tensor, _ bandHeight: Int) -> Tensor {
    let unit = 1 << (levels.count - 1)
    var map = BandedMap(image, height: bandHeight * unit, unit: unit)
    map.replaceEach { convIn(rows: $0.rows, isFirst: $0.isFirst, isLast: $0.isLast) }
    for level in levels {
      for residual in level.residuals { residual.apply(to: &map) }
      if let downsampler = level.downsampler {
        map.replaceEach(reachesAbove: false) {
          downsampler(rows: $0.rows, isFirst: $0.isFirst, isLast: $0.isLast)
        }
      }
    }
    return convOut(normOut(middle(map.whole), thenSiLU: true))
  }
}
