import Checkpoints
import NeuralLayers
import TensorCore

/// From a latent to an image.
///
/// - Shapes: [N, h, w, latent channels] → [N, s·h, s·w, 3].
/// - Weights: `conv_in`, `mid_block`, `up_blocks.i`, `conv_norm_out`, `conv_out`.
/// - Source: diffusers `Decoder`.
struct ImageDecoder: Sendable {
  private struct Level: Sendable {
    var residuals: [ResidualBlock]
    var upsampler: Conv2D?
  }

  private let convIn: Conv2D
  private let middle: AutoencoderMiddle
  private let levels: [Level]
  private let normOut: GroupNorm
  private let convOut: Conv2D

  /// The first and the last convolution, a small part of the work, stay exact: what they round is seen as it is.
  init(_ weights: WeightScope, _ configuration: AutoencoderConfiguration) throws {
    let widths = Array(configuration.widths.reversed())
    let (groups, last) = (configuration.groups, widths.count - 1)
    convIn = try Conv2D(
      weights / "conv_in", inputs: configuration.latentChannels, outputs: widths[0], kernel: 3,
      precision: .exact)
    middle = try AutoencoderMiddle(
      weights / "mid_block", channels: widths[0], groups: groups,
      attends: configuration.attendsInTheMiddle)
    levels = try widths.indices.map { level in
      let place = weights / "up_blocks" / level
      let width = widths[level]
      let residuals = try (0..<configuration.blockCount + 1).map { index in
        try ResidualBlock(
          place / "resnets" / index, inputs: index == 0 ? widths[max(level - 1, 0)] : width,
          outputs: width, groups: groups, epsilon: AutoencoderMiddle.epsilon)
      }
      let upsampler =
        level == last
        ? nil
        : try Conv2D(
          place / "upsamplers" / 0 / "conv", inputs: width, outputs: width, kernel: 3)
      return Level(residuals: residuals, upsampler: upsampler)
    }
    normOut = try GroupNorm(
      weights / "conv_norm_out", channels: widths[last], groups: groups,
      epsilon: AutoencoderMiddle.epsilon)
    convOut = try Conv2D(
      weights / "conv_out", inputs: widths[last], outputs: configuration.outputs, kernel: 3,
      precision: .exact)
  }

  /// Decodes latents [N, h, w, C], sample by sample, in bands of so many of their rows.
  func callAsFunction(_ latents: Tensor, bandHeight: Int) -> Tensor {
    let samples = (0..<latents.shape[0]).map { decoded(latents.rows($0..<$0 + 1), bandHeight) }
    return samples.count == 1 ? samples[0] : joinedRows(samples)
  }

  private func decoded(_ latent: Tensor, _ bandHeight: Int) -> Tensor {
    var map = BandedMap(middle(convIn(latent)), height: bandHeight)
    for level in levels {
      for residual in level.residuals { residual.apply(to: &map) }
      if let upsampler = level.upsampler {
        map.trimPool()
        map.replaceEach {
          upsampler(rows: $0.rows, isFirst: $0.isFirst, isLast: $0.isLast, upsampling: true)
        }
      }
    }
    let factors = normOut.factors(of: map.bands)
    map.replaceEach {
      convOut(
        rows: normOut($0.parts, factors: factors, thenSiLU: true), isFirst: $0.isFirst,
        isLast: $0.isLast)
    }
    return map.whole
  }
}
