import Checkpoints
import TensorCore
import TestSupport

/// What a SED of some sizes is made of: every key that is read, with its shape.
struct PublishedSED {
  static let prefix = "sem_seg_head.predictor."

  var widths = [128, 256, 512, 1024]
  var depths = [3, 3, 27, 3]
  var features = 640
  var hasProjectionOfTwoMaps = false
  var templates = 80
  /// Channels before the decoder's stages and behind the last.
  var decoder = [128, 64, 32, 16]
  var guidance = [32, 16, 8]

  /// SED-B.
  static let base = PublishedSED()

  /// SED-L.
  static let large = PublishedSED(
    widths: [192, 384, 768, 1536], features: 768, hasProjectionOfTwoMaps: true)

  /// One that is quickly computed, with the projection of SED-L.
  static let small = PublishedSED(
    widths: [12, 20, 24, 40], depths: [1, 2, 3, 1], features: 16, hasProjectionOfTwoMaps: true,
    templates: 3, decoder: [32, 16, 16, 16], guidance: [8, 4, 4])

  /// The weights by formula, under names with the prefix or without it; the formula always takes those with it.
  func weights(seed: UInt64, hasPrefix: Bool = true, text: Bool = false) -> ScaledFormula {
    var shapes: [String: [Int]] = [:]
    for (key, shape) in trunk + fusion + (text ? Self.text : []) {
      shapes[Self.prefix + key] = shape
    }
    return ScaledFormula(
      weights: FormulaWeights(shapes, seed: seed),
      dropped: hasPrefix ? "" : Self.prefix,
      // Cosines of vectors by formula are small, so that classes would hardly differ without this.
      factors: [
        "conv1.weight": 16, "decoder_corr_guidance_projection.0.0.weight": 16,
        "decoder_guidance_projection.0.0.weight": 0.25,
        "decoder_guidance_projection.1.0.weight": 0.25,
        "decoder_guidance_projection.2.0.weight": 0.25,
      ])
  }

  /// Embeddings of classes by formula.
  func classes(_ name: String, count: Int, seed: UInt64) -> Tensor {
    unitVectors(Formula.tensor(name, [count, templates, features], .input, seed: seed))
  }

  private func affine(_ place: String, _ shape: [Int]) -> [(String, [Int])] {
    [("\(place).weight", shape), ("\(place).bias", [shape[0]])]
  }

  private func block(
    _ place: String, _ width: Int, _ kernel: Int, _ names: (String, String, String)
  ) -> [(String, [Int])] {
    [("\(place).gamma", [width])] + affine("\(place).\(names.0)", [width, 1, kernel, kernel])
      + affine("\(place).norm", [width]) + affine("\(place).\(names.1)", [4 * width, width])
      + affine("\(place).\(names.2)", [width, 4 * width])
  }

  private var trunk: [(String, [Int])] {
    let visual = "clip_model.visual"
    var all =
      affine("\(visual).trunk.stem.0", [widths[0], 3, 4, 4])
      + affine("\(visual).trunk.stem.1", [widths[0]])
    for (stage, width) in widths.enumerated() {
      let place = "\(visual).trunk.stages.\(stage)"
      if stage > 0 {
        all += affine("\(place).downsample.0", [widths[stage - 1]])
        all += affine("\(place).downsample.1", [width, widths[stage - 1], 2, 2])
      }
      for index in 0..<depths[stage] {
        all += block("\(place).blocks.\(index)", width, 7, ("conv_dw", "mlp.fc1", "mlp.fc2"))
      }
    }
    let width = widths[3]
    all += affine("\(visual).trunk.head.norm", [width])
    if hasProjectionOfTwoMaps {
      all += affine("\(visual).head.mlp.fc1", [width, width])
      all.append(("\(visual).head.mlp.fc2.weight", [features, width]))
    } else {
      all.append(("\(visual).head.proj.weight", [features, width]))
    }
    return all + [("clip_model.logit_scale", [])]
  }

  private var fusion: [(String, [Int])] {
    let place = "transformer"
    var all = affine("\(place).conv1", [decoder[0], templates, 7, 7])
    for stage in 0..<3 {
      let (width, outputs, guides) = (decoder[stage], decoder[stage + 1], guidance[stage])
      all += affine(
        "\(place).decoder_guidance_projection.\(stage).0", [guides, widths[2 - stage], 3, 3])
      // Transposed: inputs first.
      let costs = stage == 0 ? templates : guidance[stage - 1]
      let cost = "\(place).decoder_corr_guidance_projection.\(stage).0"
      all += [("\(cost).weight", [costs, guides, 2, 2]), ("\(cost).bias", [guides])]
      let layers = "\(place).decoder\(stage + 1)"
      all.append(("\(layers).up.weight", [width, width - guides, 2, 2]))
      all.append(("\(layers).up.bias", [width - guides]))
      all.append(("\(layers).conv.double_conv.0.weight", [outputs, width + guides, 3, 3]))
      all += affine("\(layers).conv.double_conv.1", [outputs])
      all.append(("\(layers).conv.double_conv.3.weight", [outputs, outputs, 3, 3]))
      all += affine("\(layers).conv.double_conv.4", [outputs])
      all += block("\(layers).cnext", width, 9, ("dwconv", "pwconv1", "pwconv2"))
      for name in ["q", "k", "v"] {
        all += affine("\(layers).attention.attention.\(name)", [width, width])
      }
      all += affine("\(layers).attention.MLP.0", [4 * width, width])
      all += affine("\(layers).attention.MLP.2", [width, 4 * width])
      all += affine("\(layers).attention.norm1", [width])
      all += affine("\(layers).attention.norm2", [width])
      all += affine("\(place).head\(stage)", [1, width, 3, 3])
    }
    return all + affine("\(place).head", [1, decoder[3], 3, 3])
  }

  /// The text tower of SED-B.
  private static let text: [(String, [Int])] = {
    let width = 640
    func affine(_ place: String, _ shape: [Int]) -> [(String, [Int])] {
      [("\(place).weight", shape), ("\(place).bias", [shape[0]])]
    }
    var all =
      [
        ("token_embedding.weight", [49_408, width]), ("positional_embedding", [77, width]),
        ("text_projection", [width, width]),
      ] + affine("ln_final", [width])
    for layer in 0..<12 {
      let place = "transformer.resblocks.\(layer)"
      all += affine("\(place).ln_1", [width]) + affine("\(place).ln_2", [width])
      all.append(("\(place).attn.in_proj_weight", [3 * width, width]))
      all.append(("\(place).attn.in_proj_bias", [3 * width]))
      all += affine("\(place).attn.out_proj", [width, width])
      all += affine("\(place).mlp.c_fc", [4 * width, width])
      all += affine("\(place).mlp.c_proj", [width, 4 * width])
    }
    return all.map { ("clip_model.\($0.0)", $0.1) }
  }()
}

/// A checkpoint by formula, of which some tensors are multiplied by a power of two, and whose keys may lack a prefix.
struct ScaledFormula: WeightSource {
  let weights: FormulaWeights
  let dropped: String
  let factors: [String: Float]

  var name: String { weights.name }
  var keys: [String] { weights.keys.map { String($0.dropFirst(dropped.count)) } }

  func record(_ key: String) -> TensorRecord? { weights.record(dropped + key) }

  func tensor(_ key: String) throws -> Tensor {
    let tensor = try weights.tensor(dropped + key)
    let factor = factors.first { key.hasSuffix("transformer." + $0.key) }?.value
    return factor.map { $0 * tensor } ?? tensor
  }
}
