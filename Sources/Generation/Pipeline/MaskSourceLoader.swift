import LatentDiffusion
import MaskGrounding

/// Loads what reads masks, and says how it wants to be asked.
enum MaskSourceLoader {
  /// Loads a source for a U-Net and pictures of `width` x `height` pixels.
  ///
  /// - Throws: `CheckpointError` where the weights cannot be read or are another U-Net's.
  static func load(
    _ source: MaskSettings.Source, unet: UNet, width: Int, height: Int
  ) throws -> (source: any MaskSource, querySettings: EntityQueryBuilder.Settings) {
    switch source {
    case .attention(let settings):
      (try AttentionSource(unet: unet, settings: settings), .init())
    case .grounding(let path, _):
      fatalError(path)
    }
  }
}
