/// The text encoder's keys of the original layouts under transformers' names.
///
/// - Source: CompVis stable-diffusion `FrozenCLIPEmbedder`, Stability-AI stablediffusion `FrozenOpenCLIPEmbedder`
///   (its layer "penultimate"); OpenCLIP `transformer.py`; diffusers `convert_open_clip_checkpoint`.
enum OriginalTextKeys {
  /// Which text encoder a file holds.
  enum Tower: Equatable {
    /// transformers' CLIP text model: Stable Diffusion 1.
    case clip
    /// OpenCLIP's text tower: Stable Diffusion 2.
    case openCLIP

    /// What its keys begin with.
    var prefix: String {
      switch self {
      case .clip: "cond_stage_model.transformer."
      case .openCLIP: "cond_stage_model.model."
      }
    }

    /// The file's name of the token table, without the prefix; tried in this order.
    var tables: [String] {
      switch self {
      case .clip:
        ["text_model.embeddings.token_embedding.weight", "embeddings.token_embedding.weight"]
      case .openCLIP: ["token_embedding.weight"]
      }
    }
  }

  private static let ends = [
    "positional_embedding": "embeddings.position_embedding.weight",
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight", "ln_final.bias": "final_layer_norm.bias",
  ]
  private static let layers = [
    "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
  ]

  /// The names of a key below the tower's prefix, each with how its tensor changes; none for one that is no part of
  /// the network.
  static func names(
    _ key: String, _ tower: Tower
  ) -> [(name: String, change: RenamedWeights.Change)] {
    let root = "text_model."
    guard tower == .openCLIP else {
      return [(key.hasPrefix(root) ? key : root + key, .none)]
    }
    if let end = ends[key] { return [(root + end, .none)] }
    let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 5, parts[0] == "transformer", parts[1] == "resblocks",
      let last = parts.last
    else { return [] }
    let place = "\(root)encoder.layers.\(parts[2])"
    let inner = parts[3..<parts.count - 1].joined(separator: ".")
    if let name = layers[inner] { return [("\(place).\(name).\(last)", .none)] }
    guard inner == "attn", last == "in_proj_weight" || last == "in_proj_bias" else { return [] }
    let kind = last.dropFirst("in_proj_".count)
    return ["q", "k", "v"].enumerated().map { index, letter in
      ("\(place).self_attn.\(letter)_proj.\(kind)", .third(index))
    }
  }

  /// The number of a tower's layer that a key below the prefix belongs to; nil for all others.
  static func layer(_ key: String) -> Int? {
    let parts = key.split(separator: ".")
    return parts.count > 3 && parts[0] == "transformer" && parts[1] == "resblocks"
      ? Int(parts[2]) : nil
  }
}
