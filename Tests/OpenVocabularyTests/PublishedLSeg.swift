import Checkpoints
import TestSupport

/// The published LSeg with ViT-L/16 and the text tower of CLIP ViT-B/32: every key that is read, with its shape.
enum PublishedLSeg {
  static let prefix = "net."

  static func weights(seed: UInt64) -> FormulaWeights {
    FormulaWeights(
      Dictionary(uniqueKeysWithValues: (encoder + head + text).map { (prefix + $0.0, $0.1) }),
      seed: seed)
  }

  private static func affine(_ place: String, _ shape: [Int]) -> [(String, [Int])] {
    [("\(place).weight", shape), ("\(place).bias", [shape[0]])]
  }

  private static let encoder: [(String, [Int])] = {
    let model = "pretrained.model"
    var all =
      [("\(model).cls_token", [1, 1, 1024]), ("\(model).pos_embed", [1, 577, 1024])]
      + affine("\(model).patch_embed.proj", [1024, 3, 16, 16])
    for block in 0..<24 {
      let place = "\(model).blocks.\(block)"
      all += affine("\(place).norm1", [1024]) + affine("\(place).norm2", [1024])
      all +=
        affine("\(place).attn.qkv", [3072, 1024]) + affine("\(place).attn.proj", [1024, 1024])
      all += affine("\(place).mlp.fc1", [4096, 1024]) + affine("\(place).mlp.fc2", [1024, 4096])
    }
    for (level, channels) in [256, 512, 1024, 1024].enumerated() {
      let place = "pretrained.act_postprocess\(level + 1)"
      all += affine("\(place).0.project.0", [1024, 2048])
      all += affine("\(place).3", [channels, 1024, 1, 1])
      switch level {
      case 0: all += affine("\(place).4", [256, 256, 4, 4])
      case 1: all += affine("\(place).4", [512, 512, 2, 2])
      case 3: all += affine("\(place).4", [1024, 1024, 3, 3])
      default: break
      }
    }
    return all
  }()

  private static let head: [(String, [Int])] = {
    var all = affine("scratch.head1", [512, 256, 1, 1])
    all += affine("scratch.head_block.depthwise.depthwise", [1, 1, 3, 3])
    for (level, channels) in [256, 512, 1024, 1024].enumerated() {
      all.append(("scratch.layer\(level + 1)_rn.weight", [256, channels, 3, 3]))
      let place = "scratch.refinenet\(level + 1)"
      all += affine("\(place).out_conv", [256, 256, 1, 1])
      for unit in 1...2 {
        for convolution in 1...2 {
          let unit = "\(place).resConfUnit\(unit)"
          all.append(("\(unit).conv\(convolution).weight", [256, 256, 3, 3]))
          all += affine("\(unit).bn\(convolution)", [256])
          all.append(("\(unit).bn\(convolution).running_mean", [256]))
          all.append(("\(unit).bn\(convolution).running_var", [256]))
          all.append(("\(unit).bn\(convolution).num_batches_tracked", []))
        }
      }
    }
    return all
  }()

  private static let text: [(String, [Int])] = {
    let tower = "clip_pretrained"
    var all =
      [
        ("\(tower).token_embedding.weight", [49_408, 512]),
        ("\(tower).positional_embedding", [77, 512]), ("\(tower).text_projection", [512, 512]),
        ("\(tower).logit_scale", []), ("\(tower).visual.proj", [768, 512]),
      ] + affine("\(tower).ln_final", [512])
    for block in 0..<12 {
      let place = "\(tower).transformer.resblocks.\(block)"
      all += affine("\(place).ln_1", [512]) + affine("\(place).ln_2", [512])
      all.append(("\(place).attn.in_proj_weight", [1536, 512]))
      all.append(("\(place).attn.in_proj_bias", [1536]))
      all += affine("\(place).attn.out_proj", [512, 512])
      all += affine("\(place).mlp.c_fc", [2048, 512]) + affine("\(place).mlp.c_proj", [512, 2048])
    }
    return all
  }()
}
