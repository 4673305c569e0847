/// The names of averaged weights (EMA), which are the denoiser's keys with the dots left out.
///
/// `model_ema.diffusion_modelinput_blocks11in_layers0weight` is `model.diffusion_model.input_blocks.1.1…`: every word
/// and every number is a segment of its own, and of a block's number the last digit is the place within the block.
///
/// - Source: CompVis latent-diffusion `ema.py` (`LitEma`).
enum AveragedKeys {
  /// What the keys begin with.
  static let prefix = "model_ema."
  private static let root = "diffusion_model"
  /// Longer ones before those they begin with.
  private static let words = [
    "transformer_blocks", "skip_connection", "output_blocks", "middle_block", "input_blocks",
    "time_embed", "emb_layers", "out_layers", "label_emb", "in_layers", "proj_out", "proj_in",
    "weight", "to_out", "norm1", "norm2", "norm3", "attn1", "attn2", "to_q", "to_k", "to_v", "conv",
    "norm", "proj", "bias", "net", "out", "op", "ff",
  ]

  /// The key without the denoiser's prefix; nil for one that is none of its.
  static func name(_ key: String) -> String? {
    guard key.hasPrefix(prefix + root) else { return nil }
    var rest = key.dropFirst(prefix.count + root.count)
    var parts: [Substring] = []
    while let first = rest.first {
      if first.isASCII, first.isNumber {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        if parts.last == "input_blocks" || parts.last == "output_blocks" {
          guard digits.count > 1 else { return nil }
          parts.append(digits.dropLast())
          parts.append(digits.suffix(1))
        } else {
          // `label_emb` alone has two numbers one after the other, and no model that is read here has it.
          parts.append(digits)
        }
        rest = rest.dropFirst(digits.count)
      } else {
        guard let word = words.first(where: { rest.hasPrefix($0) }) else { return nil }
        parts.append(rest.prefix(word.count))
        rest = rest.dropFirst(word.count)
      }
    }
    return parts.joined(separator: ".")
  }
}
