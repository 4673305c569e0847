import LatentDiffusion
package import MaskGrounding

/// Loads what reads masks, and says how it wants to be asked.
struct MaskSourceLoader {
  /// The U-Net that is read.
  let unet: UNet
  /// What it predicts.
  let prediction: SchedulerConfiguration.Prediction
  /// Width of the pictures, in pixels.
  let width: Int
  /// Height of the pictures, in pixels.
  let height: Int

  /// A source, and how its queries are made.
  struct Loaded {
    var source: any MaskSource
    var querySettings: EntityQueryBuilder.Settings
  }

  /// Loads a source.
  ///
  /// - Throws: `CheckpointError` where the weights cannot be read or are another U-Net's.
  func load(_ source: MaskSettings.Source) throws -> Loaded {
    switch source {
    case .attention(let settings):
      return Loaded(
        source: try AttentionSource(unet: unet, settings: settings), querySettings: .init())
    case .grounding(let path, _):
      let weights = try GroundingWeights(path: path)
      return Loaded(
        source: try GroundingSource(
          module: try weights.module(), file: path, unet: unet.configuration,
          prediction: prediction, pictureHeight: height, pictureWidth: width),
        querySettings: EntityQueryBuilder.Settings(
          weights.configuration, isPublished: weights.isPublished))
    }
  }
}

extension EntityQueryBuilder.Settings {
  /// Queries as a module was trained with them; a published one never saw synonyms averaged.
  package init(_ configuration: GroundingConfiguration, isPublished: Bool) {
    self.init(
      prefixes: [configuration.queryPrefix],
      pooling: configuration.pooling == .mean ? .mean : .last, usesSynonyms: !isPublished)
  }
}
