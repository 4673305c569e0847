public import Checkpoints

/// The keys of a CLIP text tower as its authors store it, under transformers' names.
///
/// - Source: openai/CLIP `model.py`; OpenCLIP `transformer.py`; diffusers `convert_open_clip_checkpoint`.
public enum CLIPTowerKeys {
  private static let ends = [
    "positional_embedding": "embeddings.position_embedding.weight",
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight", "ln_final.bias": "final_layer_norm.bias",
  ]
  private static let layers = [
    "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
  ]

  /// The names of a key, each with how its tensor changes; none for one that is no part of the network.
  public static func names(_ key: String) -> [(name: String, change: RenamedWeights.Change)] {
    if let end = ends[key] { return [(end, .none)] }
    let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 5, parts[0] == "transformer", parts[1] == "resblocks",
      let last = parts.last
    else { return [] }
    let place = "encoder.layers.\(parts[2])"
    let inner = parts[3..<parts.count - 1].joined(separator: ".")
    if let name = layers[inner] { return [("\(place).\(name).\(last)", .none)] }
    guard inner == "attn", last == "in_proj_weight" || last == "in_proj_bias" else { return [] }
    let kind = last.dropFirst("in_proj_".count)
    return ["q", "k", "v"].enumerated().map { index, letter in
      ("\(place).self_attn.\(letter)_proj.\(kind)", .third(index))
    }
  }

  /// The number of the layer that a key belongs to; nil for all others.
  public static func layer(_ key: String) -> Int? {
    let parts = key.split(separator: ".")
    return parts.count > 3 && parts[0] == "transformer" && parts[1] == "resblocks"
      ? Int(parts[2]) : nil
  }
}
