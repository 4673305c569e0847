/// The layers of a part of a model by the names that LoRA files have for them.
///
/// All names are compared with underscores for dots, since kohya's keys have nothing else: a layer is found by the
/// name it has here, by the one it has in original checkpoints (`input_blocks_1_1_…`), and in a text encoder with and
/// without `text_model` in front.
struct LoRALayers {
  private let keys: [String: String]

  /// The layers of a part that has a weight to add to: matrices and convolutions.
  init(_ component: LoRAComponent, _ source: any WeightSource) {
    let ending = ".weight"
    var keys: [String: String] = [:]
    let levels = OriginalUNetLevels(source)
    for key in source.keys where key.hasSuffix(ending) {
      guard let rank = source.record(key)?.shape.count, rank == 2 || rank == 4 else { continue }
      let layer = key.dropLast(ending.count)
      var names = [String(layer)]
      switch component {
      case .textEncoder:
        let prefix = "text_model."
        names.append(
          layer.hasPrefix(prefix) ? String(layer.dropFirst(prefix.count)) : prefix + layer)
      case .unet:
        if let original = levels.originalName(of: String(layer)) { names.append(original) }
      }
      for name in names { keys[Self.flattened(name)] = key }
    }
    self.keys = keys
  }

  /// The key of a layer's weight; nil where the model has no such layer.
  func weightKey(_ layer: String) -> String? { keys[layer] }

  /// A name with underscores for dots.
  static func flattened(_ name: some StringProtocol) -> String {
    String(name.map { $0 == "." ? "_" : $0 })
  }
}

/// How the levels of a U-Net are numbered in original checkpoints, where all blocks of one way stand in one row.
///
/// - Source: CompVis `ldm/modules/diffusionmodules/openaimodel.py`, `UNetModel`.
struct OriginalUNetLevels {
  private static let inResidual = [
    "conv1": "in_layers.2", "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
  ]
  private static let single = [
    "conv_in": "input_blocks.0.0", "conv_out": "out.2", "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
  ]

  /// Residual blocks of a level on the way down; there is one more on the way up.
  private let residuals: Int
  /// Levels on the way up that have attention.
  private let attentive: Set<Int>

  init(_ source: any WeightSource) {
    func has(_ part: String) -> Bool { source.record(part + ".weight") != nil }
    residuals = (0..<16).first { !has("down_blocks.0.resnets.\($0).conv1") } ?? 0
    attentive = Set((0..<16).filter { has("up_blocks.\($0).attentions.0.proj_in") })
  }

  /// The name of a layer in an original checkpoint; nil for what has none.
  func originalName(of layer: String) -> String? {
    if let name = Self.single[layer] { return name }
    let parts = layer.split(separator: ".").map(String.init)
    switch parts.first {
    case "mid_block":
      guard parts.count > 3, let index = Int(parts[2]), 0...1 ~= index else { return nil }
      let position = parts[1] == "attentions" ? 1 : 2 * index
      return Self.joined("middle_block.\(position)", parts[1], parts.dropFirst(3))
    case "down_blocks", "up_blocks":
      guard parts.count > 4, let level = Int(parts[1]), let index = Int(parts[3]) else {
        return nil
      }
      return parts[0] == "down_blocks"
        ? down(level, parts[2], index, parts.dropFirst(4))
        : up(level, parts[2], index, parts.dropFirst(4))
    default: return nil
    }
  }

  private func down(_ level: Int, _ kind: String, _ index: Int, _ rest: ArraySlice<String>)
    -> String?
  {
    let first = 1 + level * (residuals + 1)
    guard kind != "downsamplers" else { return "input_blocks.\(first + residuals).0.op" }
    let place = kind == "attentions" ? 1 : 0
    return Self.joined("input_blocks.\(first + index).\(place)", kind, rest)
  }

  private func up(_ level: Int, _ kind: String, _ index: Int, _ rest: ArraySlice<String>)
    -> String?
  {
    let first = level * (residuals + 1)
    guard kind != "upsamplers" else {
      return "output_blocks.\(first + residuals).\(attentive.contains(level) ? 2 : 1).conv"
    }
    let place = kind == "attentions" ? 1 : 0
    return Self.joined("output_blocks.\(first + index).\(place)", kind, rest)
  }

  private static func joined(
    _ block: String, _ kind: String, _ rest: ArraySlice<String>
  ) -> String? {
    guard kind == "resnets" else {
      return kind == "attentions" ? ([block] + rest).joined(separator: ".") : nil
    }
    return rest.first.flatMap { inResidual[$0] }.map { "\(block).\($0)" }
  }
}
