import Checkpoints
import NeuralLayers
public import TensorCore

/// LSeg's image network: a feature for each pixel, which is compared with the features of any words.
///
/// - Shapes: images [N, H, W, 3], sides multiples of 32 → features [N, H/2, W/2, D], logits [N, H, W, n].
/// - Weights: `pretrained` and `scratch`; the text tower stands beside them and is made by ``LSegFile``.
/// - Source: "Language-driven Semantic Segmentation" (2022), section 3; lang-seg `lseg_net.py`, `lseg_net_zs.py`.
public struct LSeg: Sendable {
  /// 1 / 0.07, by which cosines are multiplied; it was never trained.
  static let scale: Float = 1 / 0.07

  private enum Encoder: Sendable {
    case transformer(VisionTransformer, [Reassembly])
    case residual(ResidualEncoder)
  }

  /// The sizes.
  public let configuration: LSegConfiguration
  /// How logits are smoothed.
  public private(set) var head: LSegHead
  private(set) var headBlock: LSegHeadBlock?
  private let encoder: Encoder
  /// 3×3 convolutions of the encoder's maps, the finest first.
  private let levels: [Conv2D]
  /// From the finest on.
  private let fusions: [FusionBlock]
  private let projection: Linear

  /// Reads the network's tensors.
  ///
  /// - Parameters:
  ///   - weights: the network's place, `net` or the root.
  ///   - configuration: the sizes.
  ///   - head: how logits are smoothed.
  /// - Throws: `CheckpointError` with the full key if a tensor is absent or misshapen.
  init(_ weights: WeightScope, _ configuration: LSegConfiguration, head: LSegHead) throws {
    self.configuration = configuration
    self.head = head
    let (pretrained, scratch) = (weights / "pretrained", weights / "scratch")
    let (features, channels) = (configuration.features, configuration.levelChannels)
    switch configuration.encoder {
    case .transformer(let sizes):
      encoder = .transformer(
        try VisionTransformer(pretrained / "model", sizes),
        try (0..<4).map { level in
          try Reassembly(
            pretrained / "act_postprocess\(level + 1)", sizes, level: level,
            channels: channels[level])
        })
    case .residual(let sizes):
      encoder = .residual(try ResidualEncoder(pretrained, sizes))
    }
    levels = try (0..<4).map { level in
      try Conv2D(
        scratch / "layer\(level + 1)_rn", inputs: channels[level], outputs: features, kernel: 3,
        bias: false)
    }
    fusions = try (0..<4).map { level in
      try FusionBlock(scratch / "refinenet\(level + 1)", features: features, hasSkip: level < 3)
    }
    projection = try Linear(
      scratch / "head1", inputs: features, outputs: configuration.featureWidth)
    headBlock = try Self.block(weights, head)
  }

  private static func block(_ weights: WeightScope, _ head: LSegHead) throws -> LSegHeadBlock? {
    head.kind == .none ? nil : try LSegHeadBlock(weights / LSegHeadBlock.place, head)
  }

  /// The network with another head.
  ///
  /// - Throws: `CheckpointError` with the full key if one of its tensors is absent or misshapen.
  func with(_ head: LSegHead, _ weights: WeightScope) throws -> LSeg {
    var network = self
    network.headBlock = try Self.block(weights, head)
    network.head = head
    return network
  }

  /// The features of an image's pixels, at half its size, not normalised.
  ///
  /// - Parameter image: [N, H, W, 3], normalised as the configuration's backbone says.
  /// - Returns: [N, H/2, W/2, D].
  /// - Precondition: H and W are multiples of 32.
  public func pixelFeatures(_ image: Tensor) -> Tensor { pixelFeatures(image, observe: nil) }

  /// As ``pixelFeatures(_:)``; `observe` is told of the parts: `tokens` of four depths, `path4` to `path1` as the
  /// reference has them, and `features`.
  package func pixelFeatures(
    _ image: Tensor, observe: ((_ part: String, _ value: Tensor) -> Void)?
  ) -> Tensor {
    let (_, height, width, channels) = image.dimensions4("LSeg")
    let unit = LSegConfiguration.sideUnit
    precondition(
      height > 0 && width > 0 && height.isMultiple(of: unit) && width.isMultiple(of: unit)
        && channels == 3, "LSeg: image \(image.shape), expected sides in multiples of \(unit)")
    let maps = maps(image, observe)
    var path: Tensor?
    for level in (0..<4).reversed() {
      let map = levels[level](maps[level])
      let fused =
        path.map { fusions[level](FusionBlock.doubled($0), skip: map) } ?? fusions[level](map)
      observe?("path\(level + 1)", FusionBlock.doubled(fused))
      path = fused
    }
    guard let path else { preconditionFailure("LSeg: no levels") }
    // As in a fusion block, the 1×1 convolution goes before the doubling.
    let features = FusionBlock.doubled(projection(path))
    observe?("features", features)
    return features
  }

  private func maps(_ image: Tensor, _ observe: ((String, Tensor) -> Void)?) -> [Tensor] {
    switch encoder {
    case .residual(let encoder): return encoder(image)
    case .transformer(let encoder, let reassemblies):
      let tokens = encoder(image)
      for (hook, tokens) in zip(encoder.sizes.hooks, tokens) {
        observe?("tokens_block\(hook)", tokens)
      }
      let patch = encoder.sizes.patch
      return zip(reassemblies, tokens).map { reassembly, tokens in
        reassembly(tokens, height: image.shape[1] / patch, width: image.shape[2] / patch)
      }
    }
  }
}
