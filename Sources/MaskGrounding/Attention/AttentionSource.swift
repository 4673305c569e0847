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
/// heuristic: with r the largest value of the unrefined map relative to the mean attention of a pixel to a token of
/// the prompt, it is 1 − 1/r, and 0 where r is at most 1. A word that stands out nowhere gets 0, one that somewhere
/// gets twice the usual attention 0.5. It is no probability and knows nothing of what the picture shows.
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

/// The layers that are listened to.
struct AttentionLayers: Sendable {
  /// The names of those that attend to the text.
  let text: Set<String>
  /// The names of those whose attention to pixels may refine, by level, the finest first.
  let pixels: [(level: Int, names: Set<String>)]

  init(_ unet: UNet, _ settings: AttentionSettings) throws {
    let levels = Set(unet.crossAttentionLayers.map(\.level))
    for level in (settings.levels ?? []).union((settings.refinement?.level).map { [$0] } ?? [])
      .sorted()
    where !levels.contains(level) {
      throw DiffusionError(
        .invalidSetting, "attention",
        "found level \(level), expected one of \(levels.sorted().map(String.init).joined(separator: ", ")), "
          + "where this U-Net attends to the text")
    }
    guard !levels.isEmpty else {
      throw DiffusionError(
        .invalidSetting, "attention",
        "this U-Net attends to the text nowhere; choose another mask source")
    }
    let wanted = settings.levels ?? levels
    text = Set(unet.crossAttentionLayers.filter { wanted.contains($0.level) }.map(\.name))
    guard let refinement = settings.refinement else {
      pixels = []
      return
    }
    let candidates = refinement.level.map { [$0] } ?? levels.sorted()
    pixels = candidates.map { level in
      (level, Set(unet.selfAttentionLayers.filter { $0.level == level }.map(\.name)))
    }
  }
}

extension AttentionSettings {
  /// Refuses settings that are out of range for any U-Net.
  func check() throws {
    func fault(_ message: String) -> DiffusionError {
      DiffusionError(.invalidSetting, "attention", message)
    }
    guard levels?.isEmpty != true else { throw fault("no level is chosen, expected at least one") }
    guard threshold > 0 && threshold < 1 else {
      throw fault("found the threshold \(threshold), expected a number between 0 and 1")
    }
    if let power = refinement?.power, !(1...16).contains(power) {
      throw fault("found the refinement's power \(power), expected 1 to 16")
    }
    switch steps {
    case .all: break
    case .share(let from, let to):
      guard from >= 0 && from < to && to <= 1 else {
        throw fault("found the steps from \(from) to \(to), expected shares with 0 ≤ from < to ≤ 1")
      }
    case .listed(let steps):
      guard !steps.isEmpty, steps.allSatisfy({ $0 >= 0 }) else {
        throw fault("found the steps \(steps), expected at least one, counted from 0")
      }
    }
  }

  /// Whether a step of a run is read.
  func wants(step: Int, of count: Int) -> Bool {
    switch steps {
    case .all: return true
    case .share(let from, let to):
      let middle = (Double(step) + 0.5) / Double(count)
      return middle >= from && middle < to
    case .listed(let steps): return steps.contains(step)
    }
  }
}
