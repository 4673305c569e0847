import Checkpoints

/// The autoencoder's keys of the original layout under diffusers' names.
///
/// The original layout counts the decoder's levels from the image's own size, diffusers from the latents'.
///
/// - Source: CompVis latent-diffusion `model.py` (`Encoder`, `Decoder`); diffusers `convert_ldm_vae_checkpoint`.
struct OriginalAutoencoderKeys {
  /// The projections of the middle's attention, also as later conversions name them.
  private static let attention = [
    "norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
    "group_norm": "group_norm", "to_q": "to_q", "to_k": "to_k", "to_v": "to_v",
    "to_out.0": "to_out.0", "query": "to_q", "key": "to_k", "value": "to_v",
    "proj_attn": "to_out.0",
  ]
  private static let middle = [
    "block_1": "mid_block.resnets.0", "block_2": "mid_block.resnets.1",
    "attn_1": "mid_block.attentions.0",
  ]

  private let levelCount: Int

  /// Counts the decoder's levels.
  ///
  /// - Parameter keys: the autoencoder's keys, without the prefix.
  init(_ keys: Set<String>) {
    levelCount = (0..<16).prefix { keys.contains("decoder.up.\($0).block.0.conv1.weight") }.count
  }

  /// The name of a key and how its tensor changes; nil for one that is no part of the network.
  func name(_ key: String) -> (name: String, change: RenamedWeights.Change)? {
    let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let last = parts.last else { return nil }
    if parts.count == 2, ["quant_conv", "post_quant_conv"].contains(parts[0]) {
      return (key, .none)
    }
    guard parts.count >= 3, parts[0] == "encoder" || parts[0] == "decoder" else { return nil }
    let rest = parts[2..<parts.count - 1]
    switch parts[1] {
    case "conv_in", "conv_out": return (key, .none)
    case "norm_out": return ("\(parts[0]).conv_norm_out.\(last)", .none)
    case "mid": return middle(parts[0], rest, last)
    case "down", "up":
      guard let level = level(parts), let inner = inner(rest.dropFirst()) else { return nil }
      return ("\(parts[0]).\(parts[1])_blocks.\(level).\(inner).\(last)", .none)
    default: return nil
    }
  }

  private func level(_ parts: [String]) -> Int? {
    guard let number = Int(parts[2]) else { return nil }
    if parts[1] == "down" { return number }
    return (0..<levelCount).contains(number) ? levelCount - 1 - number : nil
  }

  /// What stands between a level and `weight` or `bias`.
  private func inner(_ parts: ArraySlice<String>) -> String? {
    guard let first = parts.first, let layer = parts.last else { return nil }
    switch (first, parts.count) {
    case ("downsample", 2), ("upsample", 2): return "\(first)rs.0.\(layer)"
    case ("block", 3):
      return "resnets.\(parts.dropFirst().joined(separator: ".").dropLast(layer.count))"
        + Self.shortcut(layer)
    default: return nil
    }
  }

  private func middle(
    _ side: String, _ parts: ArraySlice<String>, _ last: String
  ) -> (name: String, change: RenamedWeights.Change)? {
    guard let first = parts.first, let place = Self.middle[first] else { return nil }
    let layer = parts.dropFirst().joined(separator: ".")
    guard first == "attn_1" else {
      return ("\(side).\(place).\(Self.shortcut(layer)).\(last)", .none)
    }
    guard let name = Self.attention[layer] else { return nil }
    return ("\(side).\(place).\(name).\(last)", last == "weight" ? .matrix : .none)
  }

  private static func shortcut(_ layer: String) -> String {
    layer == "nin_shortcut" ? "conv_shortcut" : layer
  }
}
