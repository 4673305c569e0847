import Checkpoints

/// Files that people take for a whole Stable Diffusion 1 or 2, told by their keys.
enum OtherCheckpoint {
  /// What a key, or a part of one, tells.
  private static let marks: [(isMark: @Sendable (String) -> Bool, name: String)] = [
    (
      { key in
        [".lora_up.", ".lora_down.", ".lora_A.", ".lora_B.", ".hada_w1_a", ".lokr_w1"]
          .contains(where: key.contains)
      }, "a LoRA file, which changes a model and is none"
    ),
    (
      { $0.hasPrefix("control_model.") || $0.hasPrefix("controlnet_cond_embedding.") },
      "a ControlNet"
    ),
    ({ $0.contains("joint_blocks.") }, "Stable Diffusion 3"),
    ({ $0.contains("double_blocks.") }, "Flux"),
    ({ $0.hasPrefix("conditioner.embedders.1.") }, "Stable Diffusion XL"),
    ({ $0.hasPrefix("conditioner.embedders.0.model.") }, "the refiner of Stable Diffusion XL"),
    ({ $0.hasPrefix("conditioner.") }, "Stable Diffusion XL"),
    ({ $0.contains("motion_modules.") }, "a motion module for video"),
    (
      { $0.hasPrefix("model.diffusion_model.label_emb.") },
      "a model with a class embedding (Stable Diffusion XL, unCLIP or an upscaler)"
    ),
    ({ $0.hasPrefix("embedder.") || $0 == "emb_params" }, "a textual inversion"),
  ]

  /// What the file is, with an article; nil for a file that may be a whole model, or is not known.
  static func name(of source: any WeightSource) -> String? {
    let keys = source.keys
    for mark in marks where keys.contains(where: mark.isMark) { return mark.name }
    let input = source.record(SingleFileContents.denoiser + "input_blocks.0.0.weight")?.shape
    if let channels = input?.dropFirst().first, channels != 4 {
      switch channels {
      case 9: return "a model for inpainting (9 input channels)"
      case 8: return "a model that edits pictures (InstructPix2Pix, 8 input channels)"
      case 5: return "a model guided by depth (5 input channels)"
      case 7: return "an upscaler (7 input channels)"
      default: return "a model whose denoiser takes \(channels) channels instead of 4"
      }
    }
    let isDenoising = keys.contains {
      $0.hasPrefix(SingleFileContents.denoiser) || AveragedKeys.name($0) != nil
    }
    let isAutoencoder =
      source.record("decoder.conv_in.weight") != nil
      || keys.contains { $0.hasPrefix(SingleFileContents.autoencoder) }
    if !isDenoising, isAutoencoder { return "an autoencoder (VAE) alone" }
    if source.record("time_embedding.linear_1.weight") != nil {
      return "the denoiser of a diffusers folder; give the folder"
    }
    let table = "embeddings.token_embedding.weight"
    if source.record(table) != nil || source.record("text_model." + table) != nil {
      return "a text encoder alone"
    }
    return nil
  }
}
