/// What the key of a tensor in a LoRA file says: which part of a model, which layer there, and which half of the pair.
///
/// Read are kohya's keys (`lora_unet_down_blocks_0_…_to_q.lora_down.weight`, the layers also by their names in
/// original checkpoints), those of diffusers and PEFT (`unet.….to_q.lora_A.weight`), and older ones of diffusers
/// (`….attn1.processor.to_q_lora.down.weight`, `….q_proj.lora_linear_layer.down.weight`).
///
/// - Source: diffusers `loaders/lora_conversion_utils.py`, `utils/state_dict_utils.py`.
struct LoRAKey: Sendable {
  /// Which of a layer's tensors.
  enum Role: Sendable { case down, up, alpha }

  /// The part of the model; nil for one that no Stable Diffusion 1 or 2 model has.
  var component: LoRAComponent?
  /// The layer with underscores between all names, as `down_blocks_0_resnets_0_conv1`.
  var layer: String
  /// The key up to the layer's end, the same for all tensors of a layer.
  var stem: String
  /// Which tensor.
  var role: Role

  private static let endings: [(ending: String, role: Role)] = [
    (".lora_down.weight", .down), (".lora_up.weight", .up), (".lora_A.weight", .down),
    (".lora_B.weight", .up), (".lora.down.weight", .down), (".lora.up.weight", .up),
    ("_lora.down.weight", .down), ("_lora.up.weight", .up),
    (".lora_linear_layer.down.weight", .down), (".lora_linear_layer.up.weight", .up),
    (".alpha", .alpha),
  ]

  /// How a part is named, longest names first; files of attention layers alone name none and mean the U-Net.
  private static let beginnings: [(beginning: String, component: LoRAComponent?)] = [
    ("lora_unet_", .unet), ("lora_te_", .textEncoder), ("lora_te1_", .textEncoder),
    ("lora_te2_", nil), ("lora_transformer_", nil), ("text_encoder_2.", nil), ("transformer.", nil),
    ("text_encoder.", .textEncoder), ("unet.", .unet), ("", .unet),
  ]

  /// What the old names of diffusers' attention processors mean in a text encoder.
  private static let projections = [
    ("_to_q", "_q_proj"), ("_to_k", "_k_proj"), ("_to_v", "_v_proj"), ("_to_out", "_out_proj"),
  ]

  /// Reads a key; nil for one that is of no LoRA.
  init?(_ key: String) {
    guard let (ending, role) = Self.endings.first(where: { key.hasSuffix($0.ending) }) else {
      return nil
    }
    let stem = String(key.dropLast(ending.count))
    guard
      let (beginning, component) = Self.beginnings.first(where: { stem.hasPrefix($0.beginning) }),
      stem.count > beginning.count
    else { return nil }
    var layer = LoRALayers.flattened(stem.dropFirst(beginning.count))
      .replacing("_processor_", with: "_")
    if component == .textEncoder {
      for (old, new) in Self.projections where layer.hasSuffix(old) {
        layer = layer.dropLast(old.count) + new
      }
    } else if layer.hasSuffix("_to_out") {
      layer += "_0"
    }
    (self.component, self.layer, self.stem, self.role) = (component, layer, stem, role)
  }
}

/// A part of a Stable Diffusion model that LoRA files change, by its folder's name.
public enum LoRAComponent: String, Sendable, CaseIterable {
  /// The denoiser.
  case unet
  /// The text encoder.
  case textEncoder = "text_encoder"
}

/// Files that are made like LoRA files and are none, by what their keys hold.
enum LoRARelative {
  private static let marks: [(mark: String, name: String)] = [
    (".hada_", "LoHa (hada)"), (".lokr_", "LoKr (lokr)"), ("dora_scale", "DoRA (dora_scale)"),
    ("lora_magnitude_vector", "DoRA (lora_magnitude_vector)"),
    (".lora_mid.", "a CP-decomposed convolution (lora_mid)"), (".oft_", "OFT (oft_blocks)"),
    (".on_input", "IA3 (on_input)"), ("lora_controlnet", "a control LoRA (lora_controlnet)"),
    ("bundle_emb.", "embeddings bundled into a LoRA (bundle_emb)"),
    (".w_norm", "a trained norm (w_norm)"), (".b_norm", "a trained norm (b_norm)"),
  ]
  private static let endings: [(ending: String, name: String)] = [
    (".diff", "a full difference of weights (diff)"),
    (".diff_b", "a full difference of biases (diff_b)"),
    (".lora_B.bias", "a LoRA with biases (lora_B.bias)"),
    (".lora_up.bias", "a LoRA with biases (lora_up.bias)"),
  ]

  /// What a key's file is; nil for keys of a LoRA or of anything else.
  static func name(of key: String) -> String? {
    marks.first { key.contains($0.mark) }?.name ?? endings.first { key.hasSuffix($0.ending) }?.name
  }
}
