public import CanonicalJSON
import Checkpoints

/// What an LSeg network is made of, as the keys and shapes of its file tell it.
public struct LSegConfiguration: Sendable, Equatable {
  /// The image encoders that LSeg was published with.
  public enum Backbone: String, Sendable, CaseIterable {
    /// A vision transformer of patches of 16 pixels (ViT-L/16), normalised with mean and deviation 0.5.
    case clipViTL16 = "clip_vitl16_384"
    /// A vision transformer of patches of 32 pixels (ViT-B/32), normalised with mean and deviation 0.5.
    case clipViTB32 = "clip_vitb32_384"
    /// ResNet-101 of the zero-shot networks, normalised with the mean and deviation of ImageNet.
    case clipResNet101 = "clip_resnet101"

    /// The mean of each channel of the pictures it was trained on, red first, of values from 0 to 1.
    public var pixelMean: [Float] {
      self == .clipResNet101 ? [0.485, 0.456, 0.406] : [0.5, 0.5, 0.5]
    }

    /// The standard deviation of each channel, by which pixels less the mean are divided.
    public var pixelDeviation: [Float] {
      self == .clipResNet101 ? [0.229, 0.224, 0.225] : [0.5, 0.5, 0.5]
    }
  }

  /// The encoder's sizes.
  enum Encoder: Sendable, Equatable {
    case transformer(VisionTransformerSizes)
    case residual(ResidualEncoderSizes)
  }

  /// Input sides are multiples of this.
  public static let sideUnit = 32

  /// Which encoder it is.
  public let backbone: Backbone
  /// The width of the head's maps.
  public let features: Int
  /// D, the length of a pixel's feature, which is a text's.
  public let featureWidth: Int
  /// Whether the file has the weights of a head block.
  public let hasHeadBlock: Bool
  /// The channels of the encoder's four maps, the finest first.
  let levelChannels: [Int]
  let encoder: Encoder

  /// Tells the configuration.
  ///
  /// - Parameters:
  ///   - source: the file.
  ///   - prefix: what the network's keys begin with, `net.` or nothing.
  /// - Throws: `CheckpointError` where the file has no such network or one of unknown sizes.
  init(_ source: any WeightSource, prefix: String) throws {
    let shape = StoredShapes(source: source, prefix: prefix)
    hasHeadBlock =
      source.record(prefix + LSegHeadBlock.place + ".weight") != nil
      || source.record(prefix + LSegHeadBlock.place + ".bias") != nil
    let head = try shape("scratch.head1.weight", axes: 4)
    (featureWidth, features) = (head[0], head[1])
    levelChannels = try (1...4).map { try shape("scratch.layer\($0)_rn.weight", axes: 4)[1] }
    guard source.record(prefix + "pretrained.layer1.0.weight") == nil else {
      backbone = .clipResNet101
      encoder = .residual(try ResidualEncoderSizes(shape))
      return
    }
    let sizes = try VisionTransformerSizes(shape)
    backbone = sizes.patch == 16 ? .clipViTL16 : .clipViTB32
    encoder = .transformer(sizes)
  }

  /// The configuration for people and programs.
  public var json: JSONValue {
    let sizes: JSONValue
    switch encoder {
    case .transformer(let encoder):
      sizes = [
        "patch": .integer(Int64(encoder.patch)), "width": .integer(Int64(encoder.width)),
        "layers": .integer(Int64(encoder.layerCount)),
      ]
    case .residual(let encoder):
      sizes = ["layers": .array(encoder.blockCounts.map { .integer(Int64($0)) })]
    }
    return [
      "backbone": .string(backbone.rawValue), "encoder": sizes,
      "features": .integer(Int64(features)), "feature_width": .integer(Int64(featureWidth)),
      "head_block": .bool(hasHeadBlock),
    ]
  }
}
