public import LatentDiffusion

/// Masks from attention alone, without a trained module: the baseline.
///
/// An entity's map is the attention that its words' tokens get, averaged over steps, heads, layers and levels, each
/// level weighted by its layers, and resized to one grid: bicubically where it is larger than the level's, by areas
/// where it is smaller. Where the map is refined the grid is that of the self-attention, else that of the finest
/// level. The refined map is the self-attention matrix, averaged over steps, heads and the layers of its level,
/// times the map, as often as ``AttentionSettings/Refinement/power`` says.
///
/// Scaling gives every word a mask, whether the thing is in the picture or not, so ``EntityMaps/presence`` is a
/// heuristic: with m the mean of the unrefined map relative to its largest value, it is 1 − m⁴. A flat map gets 0, one
/// whose peak is 1.19 times its mean 0.5, one whose peak is twice its mean 0.94. It is no probability: what the prompt
/// names is taken to be there unless attention to it is even all over the picture.
///
/// An entity that the prompt does not name, or names behind the last token the model reads, gets an empty map and
/// presence 0; see ``notices(for:)``.
///
/// - Source: Tang et al., "What the DAAM" (2023), for averaging, resizing and cutting; it undoes the undershoot of
///   bicubic resizing per layer and head, here it is undone once a level. Nguyen et al., "Dataset Diffusion" (2023),
///   for the refinement and the scaling by range.
public struct AttentionSource: MaskSource {
  /// How attention becomes maps.
  public let settings: AttentionSettings
  private let layers: AttentionLayers

  /// A source for a U-Net.
  ///
  /// - Throws: `DiffusionError` where a setting is out of range or the U-Net has no such level.
  public init(unet: UNet, settings: AttentionSettings = AttentionSettings()) throws {
    try settings.check()
    self.settings = settings
    layers = try AttentionLayers(unet, settings)
  }

  /// False: only the predictions with the text are read.
  public var needsUnconditional: Bool { false }

  /// False: words are found by their place in the prompt.
  public var usesEmbeddings: Bool { false }

  /// Starts to read one batch of samples.
  public func reading(of batch: ReadingBatch) -> any MaskReading {
    AttentionReading(settings, layers, batch)
  }

  /// What to tell about entities that attention cannot find, or only by their first words, in the order of the
  /// queries; one line each.
  public static func notices(for queries: [EntityQuery]) -> [EntityNotice] {
    queries.compactMap { query in
      let reason: EntityNotice.Reason
      if !query.entity.isNamed {
        reason = .notNamed
      } else if query.promptTokens.isEmpty {
        reason = .behindTheEnd
      } else if query.lostTokens > 0 {
        reason = .cutShort
      } else {
        return nil
      }
      return EntityNotice(entity: query.entity.name, reason: reason)
    }
  }
}
