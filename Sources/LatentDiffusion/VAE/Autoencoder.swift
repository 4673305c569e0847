public import Checkpoints
import NeuralLayers
public import TensorCore

/// Images to latents and back.
///
/// - Shapes: images [N, H, W, 3] in [−1, 1], latents [N, h, w, C]; decoding gives H = s·h, encoding
///   h = H/s, rounded down at each halving.
/// - Weights: `encoder`, `decoder`, and `quant_conv`, `post_quant_conv` where the configuration has them.
/// - Source: diffusers `AutoencoderKL`.
public struct Autoencoder: Sendable {
  /// The normal distribution of an image's latents, cell by cell.
  public struct Latents: Sendable {
    /// Mean [N, h, w, C].
    public let mean: Tensor
    /// Logarithm of the variance [N, h, w, C], kept in −30...20.
    public let logVariance: Tensor
  }

  /// The shape of the network.
  public let configuration: AutoencoderConfiguration
  /// Whether large pictures are worked through piece by piece; changes no byte.
  public var tiling = AutoencoderTiling.auto
  private let encoder: ImageEncoder
  private let quantConvolution: Linear?
  private let postQuantConvolution: Linear?
  private let decoder: ImageDecoder

  /// Reads the network's tensors and refuses leftovers.
  ///
  /// - Throws: `CheckpointError` with the full key if one is absent, misshapen or has no place.
  public init(_ weights: WeightScope, _ configuration: AutoencoderConfiguration) throws {
    self.configuration = configuration
    let (moments, channels) = (2 * configuration.latentChannels, configuration.latentChannels)
    encoder = try ImageEncoder(weights / "encoder", configuration)
    quantConvolution =
      configuration.hasQuantConvolution
      ? try Linear(
        weights / "quant_conv", inputs: moments, outputs: moments, precision: .exact) : nil
    postQuantConvolution =
      configuration.hasPostQuantConvolution
      ? try Linear(
        weights / "post_quant_conv", inputs: channels, outputs: channels, precision: .exact) : nil
    decoder = try ImageDecoder(weights / "decoder", configuration)
    try weights.checkEverythingUsed()
  }

  /// The distribution of the latents of `image`, not scaled.
  public func encode(_ image: Tensor) -> Latents {
    let (_, height, width, _) = image.dimensions4("Autoencoder")
    let unit = configuration.pixelsPerCell
    let encoded = encoder(
      image, bandHeight: tiling.bandHeight(height: height / unit, width: width / unit))
    let moments = quantConvolution?(encoded) ?? encoded  // [N, h, w, 2C]
    let c = configuration.latentChannels
    let shape = moments.shape.dropLast() + [c]
    func half(_ first: Int, _ body: (Float) -> Float) -> Tensor {
      moments.withUnsafeBuffer { source in
        Tensor(shape: Array(shape)) { out in
          for i in 0..<out.count { out[i] = body(source[i / c * 2 * c + first + i % c]) }
        }
      }
    }
    return Latents(mean: half(0) { $0 }, logVariance: half(c) { min(max($0, -30), 20) })
  }

  /// The image of `latents` that are not scaled.
  public func decode(_ latents: Tensor) -> Tensor {
    let (_, height, width, _) = latents.dimensions4("Autoencoder")
    return decoder(
      postQuantConvolution?(latents) ?? latents,
      bandHeight: tiling.bandHeight(height: height, width: width))
  }

  /// Latents as a sampler works on them, from latents as ``encode(_:)`` gives them.
  public func scaled(_ latents: Tensor) -> Tensor {
    let (scale, shift) = (configuration.scale, configuration.shift)
    return latents.mapped { ($0 - shift) * scale }
  }

  /// The image of latents as a sampler ends with.
  public func image(of latents: Tensor) -> Tensor {
    let (scale, shift) = (configuration.scale, configuration.shift)
    return decode(latents.mapped { $0 / scale + shift })
  }

  /// The pixels of images in [−1, 1] as bytes, in the order of the tensor; values outside are clipped.
  ///
  /// - Precondition: no value is NaN.
  public static func bytes(of image: Tensor) -> [UInt8] {
    image.withUnsafeBuffer { values in
      values.map { value in
        let unit = min(max(value / 2 + 0.5, 0), 1)
        return UInt8((unit * 255).rounded(.toNearestOrEven))
      }
    }
  }
}
