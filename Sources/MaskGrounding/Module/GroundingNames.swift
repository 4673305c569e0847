/// The names of a module's parts in its file: ours, or those of the published checkpoint.
struct GroundingNames {
  let isPublished: Bool
  /// The published names of the levels, the latents' own size first.
  static let publishedLevels = ["highest", "high", "mid", "low"]
  /// A part that only published files have, its name misspelt there.
  static let publishedDecoder = "transfromer_decoder"

  func projection(_ level: Int) -> String {
    isPublished ? "\(Self.publishedLevels[level])_feature_conv.0" : "levels.\(level).projection"
  }

  func mix(_ level: Int) -> String {
    isPublished ? "\(Self.publishedLevels[level])_feature_mix_conv" : "levels.\(level).mix"
  }

  var keys: String { isPublished ? "to_k" : "to_keys" }
  var queries: String { isPublished ? "to_q" : "to_queries" }
  var decoder: String { isPublished ? Self.publishedDecoder : "decoder" }
  var head: String { isPublished ? "mlp" : "mask_head" }
}
