import Checkpoints
public import TensorCore

/// Segmenters of the published key names at sizes that are quickly computed, their tensors made by ``Formula``.
///
/// Their text towers take the 799 ids of Fixtures/text/small.
public enum TinySegmenter: String, Sendable, CaseIterable {
  case lseg
  case sed

  private typealias Shapes = [(key: String, shape: [Int])]

  private static let textWidth = 64
  private static let vocabulary = 799
  /// D of both.
  public static let featureWidth = 32
  /// Sentences that stand for a class of SED.
  public static let templates = 3

  /// Every key that is read, with its shape.
  public var shapes: [String: [Int]] {
    let (prefix, all) =
      self == .lseg
      ? ("net.", Self.encoder + Self.head + Self.text("clip_pretrained"))
      : ("sem_seg_head.predictor.", Self.trunk + Self.decoder + Self.text("clip_model"))
    return Dictionary(uniqueKeysWithValues: all.map { (prefix + $0.key, $0.shape) })
  }

  /// The tensors; cosines and scores are enlarged, so that labels differ.
  public func tensors(seed: UInt64 = 1, headBlock: Bool = false) -> [String: Tensor] {
    var shapes = shapes
    if headBlock {
      shapes["net.scratch.head_block.depthwise.depthwise.weight"] = [1, 1, 3, 3]
      shapes["net.scratch.head_block.depthwise.depthwise.bias"] = [1]
    }
    return Dictionary(
      uniqueKeysWithValues: shapes.map { key, shape in
        let kind = Formula.kind(key, rank: shape.count)
        let tensor = kind.map { Formula.tensor(key, shape, $0, seed: seed) } ?? .zeros(shape)
        let isSmall =
          key.hasSuffix("transformer.conv1.weight")
          || key.hasSuffix("transformer.decoder_corr_guidance_projection.0.0.weight")
        return (key, isSmall ? 16 * tensor : tensor)
      })
  }

  /// Writes a safetensors file.
  public func write(to path: String, headBlock: Bool = false) throws {
    var writer = SafetensorsWriter()
    for (key, tensor) in tensors(headBlock: headBlock) { writer.add(key, tensor) }
    try writer.write(to: path)
  }

  /// The file as `torch.save` writes it, under `state_dict` as Lightning does or `model` as detectron2 does.
  public func pickled() -> [UInt8] {
    let tensors = tensors().sorted { $0.key < $1.key }
    var entries: [(String, [UInt8])] = []
    let members = tensors.enumerated().map { number, member -> (String, [UInt8]) in
      let (shape, values) = (member.value.shape, member.value.values)
      entries.append(("x/data/\(number)", values.withUnsafeBytes { Array($0) }))
      var strides: [Int] = []
      for axis in shape.indices { strides.append(shape[(axis + 1)...].reduce(1, *)) }
      return (
        member.key,
        Pickled.tensor(
          Pickled.storage("\(number)", count: values.count), shape: shape, strides: strides)
      )
    }
    let dictionary = Pickled.dictionary([
      (self == .lseg ? "state_dict" : "model", Pickled.dictionary(members))
    ])
    return zipArchive([("x/data.pkl", Pickled.proto + dictionary + Pickled.stop)] + entries)
  }

  private static func affine(_ place: String, _ shape: [Int]) -> Shapes {
    [("\(place).weight", shape), ("\(place).bias", [shape[0]])]
  }

  private static func text(_ place: String) -> Shapes {
    let width = textWidth
    var all: Shapes = [
      ("\(place).token_embedding.weight", [vocabulary, width]),
      ("\(place).positional_embedding", [77, width]),
      ("\(place).text_projection", [width, featureWidth]), ("\(place).logit_scale", []),
    ]
    all += affine("\(place).ln_final", [width])
    for layer in 0..<2 {
      let place = "\(place).transformer.resblocks.\(layer)"
      all += affine("\(place).ln_1", [width]) + affine("\(place).ln_2", [width])
      all.append(("\(place).attn.in_proj_weight", [3 * width, width]))
      all.append(("\(place).attn.in_proj_bias", [3 * width]))
      all += affine("\(place).attn.out_proj", [width, width])
      all += affine("\(place).mlp.c_fc", [4 * width, width])
      all += affine("\(place).mlp.c_proj", [width, 4 * width])
    }
    return all
  }

  private static let levels = [8, 16, 32, 32]

  private static let encoder: Shapes = {
    let (model, width) = ("pretrained.model", 64)
    var all: Shapes = [
      ("\(model).cls_token", [1, 1, width]), ("\(model).pos_embed", [1, 17, width]),
    ]
    all += affine("\(model).patch_embed.proj", [width, 3, 16, 16])
    for block in 0..<4 {
      let place = "\(model).blocks.\(block)"
      all += affine("\(place).norm1", [width]) + affine("\(place).norm2", [width])
      all += affine("\(place).attn.qkv", [3 * width, width])
      all += affine("\(place).attn.proj", [width, width])
      all += affine("\(place).mlp.fc1", [2 * width, width])
      all += affine("\(place).mlp.fc2", [width, 2 * width])
    }
    let resampling = [4, 2, nil, 3]
    for (level, channels) in levels.enumerated() {
      let place = "pretrained.act_postprocess\(level + 1)"
      all += affine("\(place).0.project.0", [width, 2 * width])
      all += affine("\(place).3", [channels, width, 1, 1])
      if let taps = resampling[level] {
        all += affine("\(place).4", [channels, channels, taps, taps])
      }
    }
    return all
  }()

  private static let head: Shapes = {
    let features = 16
    var all = affine("scratch.head1", [featureWidth, features, 1, 1])
    for (level, channels) in levels.enumerated() {
      all.append(("scratch.layer\(level + 1)_rn.weight", [features, channels, 3, 3]))
      let place = "scratch.refinenet\(level + 1)"
      all += affine("\(place).out_conv", [features, features, 1, 1])
      for number in 0..<4 {
        let (unit, own) = ("\(place).resConfUnit\(number / 2 + 1)", number % 2 + 1)
        all.append(("\(unit).conv\(own).weight", [features, features, 3, 3]))
        all += affine("\(unit).bn\(own)", [features])
        all.append(("\(unit).bn\(own).running_mean", [features]))
        all.append(("\(unit).bn\(own).running_var", [features]))
      }
    }
    return all
  }()

  private static let widths = [8, 12, 16, 24]

  private static let trunk: Shapes = {
    let visual = "clip_model.visual"
    var all = affine("\(visual).trunk.stem.0", [widths[0], 3, 4, 4])
    all += affine("\(visual).trunk.stem.1", [widths[0]])
    for (stage, width) in widths.enumerated() {
      let place = "\(visual).trunk.stages.\(stage)"
      if stage > 0 {
        all += affine("\(place).downsample.0", [widths[stage - 1]])
        all += affine("\(place).downsample.1", [width, widths[stage - 1], 2, 2])
      }
      all += block("\(place).blocks.0", width, 7, ["conv_dw", "mlp.fc1", "mlp.fc2"])
    }
    all += affine("\(visual).trunk.head.norm", [widths[3]])
    all.append(("\(visual).head.proj.weight", [featureWidth, widths[3]]))
    return all
  }()

  private static func block(
    _ place: String, _ width: Int, _ taps: Int, _ names: [String]
  ) -> Shapes {
    [("\(place).gamma", [width])] + affine("\(place).\(names[0])", [width, 1, taps, taps])
      + affine("\(place).norm", [width]) + affine("\(place).\(names[1])", [4 * width, width])
      + affine("\(place).\(names[2])", [width, 4 * width])
  }

  private static let decoder: Shapes = {
    let (place, channels, guidance) = ("transformer", [32, 16, 16, 16], [8, 4, 4])
    var all = affine("\(place).conv1", [channels[0], templates, 7, 7])
    for stage in 0..<3 {
      let (width, outputs, guides) = (channels[stage], channels[stage + 1], guidance[stage])
      all += affine(
        "\(place).decoder_guidance_projection.\(stage).0", [guides, widths[2 - stage], 3, 3])
      // Transposed: inputs first.
      let costs = stage == 0 ? templates : guidance[stage - 1]
      let cost = "\(place).decoder_corr_guidance_projection.\(stage).0"
      all += [("\(cost).weight", [costs, guides, 2, 2]), ("\(cost).bias", [guides])]
      let own = "\(place).decoder\(stage + 1)"
      all.append(("\(own).up.weight", [width, width - guides, 2, 2]))
      all.append(("\(own).up.bias", [width - guides]))
      all.append(("\(own).conv.double_conv.0.weight", [outputs, width + guides, 3, 3]))
      all += affine("\(own).conv.double_conv.1", [outputs])
      all.append(("\(own).conv.double_conv.3.weight", [outputs, outputs, 3, 3]))
      all += affine("\(own).conv.double_conv.4", [outputs])
      all += block("\(own).cnext", width, 9, ["dwconv", "pwconv1", "pwconv2"])
      for name in ["q", "k", "v"] {
        all += affine("\(own).attention.attention.\(name)", [width, width])
      }
      all += affine("\(own).attention.MLP.0", [4 * width, width])
      all += affine("\(own).attention.MLP.2", [width, 4 * width])
      all += affine("\(own).attention.norm1", [width]) + affine("\(own).attention.norm2", [width])
      all += affine("\(place).head\(stage)", [1, width, 3, 3])
    }
    return all + affine("\(place).head", [1, channels[3], 3, 3])
  }()
}
