/// The denoiser's keys of the original layout under diffusers' names.
///
/// The original layout numbers its blocks through (`input_blocks.0` is the first convolution, then each residual
/// block or downsampler counts one), diffusers numbers levels and blocks within them. Which input blocks are
/// downsamplers tells where levels end.
///
/// - Source: CompVis latent-diffusion `openaimodel.py` (`UNetModel`); diffusers `convert_ldm_unet_checkpoint`.
struct OriginalUNetKeys {
  /// More blocks than any model has.
  private static let blockLimit = 256
  private static let residual = [
    "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2", "out_layers.3": "conv2", "skip_connection": "conv_shortcut",
  ]
  private static let ends = [
    "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
    "input_blocks.0.0": "conv_in", "out.0": "conv_norm_out", "out.2": "conv_out",
  ]
  private static let middle = [
    "0": "mid_block.resnets.0", "1": "mid_block.attentions.0", "2": "mid_block.resnets.1",
  ]

  /// Level and place within it of every input block but the first.
  private var inputs: [Int: (level: Int, index: Int)] = [:]
  /// Level, counted from the lowest, and place within it of every output block.
  private var outputs: [(level: Int, index: Int)] = []

  /// Reads the order of the blocks.
  ///
  /// - Parameter keys: the denoiser's keys, without the prefix.
  init(_ keys: Set<String>) {
    var (level, index) = (0, 0)
    var counts: [Int] = []
    for block in 1..<Self.blockLimit {
      inputs[block] = (level, index)
      if keys.contains("input_blocks.\(block).0.op.weight") {
        counts.append(index)
        (level, index) = (level + 1, 0)
      } else if keys.contains("input_blocks.\(block).0.in_layers.2.weight") {
        index += 1
      } else {
        inputs[block] = nil
        break
      }
    }
    counts.append(index)
    for (level, count) in counts.reversed().enumerated() {
      outputs += (0...count).map { (level, $0) }
    }
  }

  /// The name of a key; nil for one that is no part of the network.
  func name(_ key: String) -> String? {
    let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let last = parts.last, parts.count >= 3 else { return nil }
    if let end = Self.ends[parts.dropLast().joined(separator: ".")] { return "\(end).\(last)" }
    switch parts[0] {
    case "middle_block":
      guard let place = Self.middle[parts[1]] else { return nil }
      return inside(parts.dropFirst(2), place, isResidual: parts[1] != "1")
    case "input_blocks": return input(parts)
    case "output_blocks": return output(parts)
    default: return nil
    }
  }

  private func input(_ parts: [String]) -> String? {
    guard let number = Int(parts[1]), let place = inputs[number], parts.count >= 4 else {
      return nil
    }
    let block = "down_blocks.\(place.level)"
    if parts[2] == "0", parts[3] == "op" { return sampler(parts, "\(block).downsamplers.0.conv") }
    return layer(parts, block, place.index)
  }

  private func output(_ parts: [String]) -> String? {
    guard let number = Int(parts[1]), outputs.indices.contains(number), parts.count >= 4 else {
      return nil
    }
    let place = outputs[number]
    let block = "up_blocks.\(place.level)"
    if parts[3] == "conv" { return sampler(parts, "\(block).upsamplers.0.conv") }
    return layer(parts, block, place.index)
  }

  private func sampler(_ parts: [String], _ name: String) -> String? {
    parts.count == 5 ? "\(name).\(parts[4])" : nil
  }

  private func layer(_ parts: [String], _ block: String, _ index: Int) -> String? {
    switch parts[2] {
    case "0": inside(parts.dropFirst(3), "\(block).resnets.\(index)", isResidual: true)
    case "1": inside(parts.dropFirst(3), "\(block).attentions.\(index)", isResidual: false)
    default: nil
    }
  }

  /// A layer inside a residual block or a transformer; the transformer's names are the same in both layouts.
  private func inside(_ parts: ArraySlice<String>, _ place: String, isResidual: Bool) -> String? {
    guard isResidual else { return "\(place).\(parts.joined(separator: "."))" }
    guard let last = parts.last, let name = Self.residual[parts.dropLast().joined(separator: ".")]
    else { return nil }
    return "\(place).\(name).\(last)"
  }
}
