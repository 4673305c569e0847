import Checkpoints
import TextConditioning

/// The text encoder's keys of the original layouts under transformers' names.
///
/// - Source: CompVis stable-diffusion `FrozenCLIPEmbedder`, Stability-AI stablediffusion `FrozenOpenCLIPEmbedder`
///   (its layer "penultimate").
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

  /// The names of a key below the tower's prefix, each with how its tensor changes; none for one that is no part of
  /// the network.
  static func names(
    _ key: String, _ tower: Tower
  ) -> [(name: String, change: RenamedWeights.Change)] {
    let root = "text_model."
    switch tower {
    case .clip: return [(key.hasPrefix(root) ? key : root + key, .none)]
    case .openCLIP: return CLIPTowerKeys.names(key).map { (root + $0.name, $0.change) }
    }
  }
}
