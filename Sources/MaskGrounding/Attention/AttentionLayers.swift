import LatentDiffusion

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
