import LatentDiffusion
public import MaskGrounding

/// A source of masks that was loaded for a model: how it is asked, and how what it says becomes masks.
public struct LoadedMaskSource {
  /// What it is and how its maps are cut.
  public let settings: MaskSettings
  /// Where it listens to the U-Net.
  public let source: any MaskSource
  let queries: EntityQueryBuilder
  private let composer: MaskComposer
  private let sampling: SamplingSettings
  private let unet: UNet

  /// Loads a source; of `sampling` the size alone matters.
  ///
  /// - Throws: `CheckpointError` where the source does not go with the model, ``GenerationError`` where the settings do
  ///   not.
  public init(
    _ model: LoadedModel, _ settings: MaskSettings, sampling: SamplingSettings
  ) throws {
    let loader = MaskSourceLoader(
      unet: model.unet, prediction: try model.model.prediction(), width: sampling.width,
      height: sampling.height)
    let loaded = try loader.load(settings.source)
    self.settings = settings
    source = loaded.source
    queries = try EntityQueryBuilder(
      tokenizer: model.tokenizer, encoder: model.encoder, settings: loaded.querySettings)
    composer = MaskComposer(settings.composition)
    self.sampling = sampling
    unet = model.unet
  }

  private init(_ other: LoadedMaskSource, reading source: any MaskSource) {
    settings = other.settings
    self.source = source
    (queries, composer) = (other.queries, other.composer)
    (sampling, unet) = (other.sampling, other.unet)
  }

  /// The same source where it reads one call of the U-Net alone.
  ///
  /// - Parameters:
  ///   - step: the call, from 0, the noisiest.
  ///   - count: the number of calls.
  /// - Returns: the source.
  /// - Throws: as ``init(_:_:sampling:)``.
  public func reading(step: Int, of count: Int) throws -> LoadedMaskSource {
    switch settings.source {
    case .grounding(let path, _):
      guard let grounding = source as? GroundingSource else {
        preconditionFailure("a grounding module that is \(source)")
      }
      return LoadedMaskSource(
        self,
        reading: try GroundingSource(
          module: grounding.module, file: path, unet: unet.configuration,
          pictureHeight: sampling.height, pictureWidth: sampling.width,
          steps: [.fromEnd(count - 1 - step)]))
    case .attention(var attention):
      attention.steps = .listed([step])
      return LoadedMaskSource(
        self, reading: try AttentionSource(unet: unet, settings: attention))
    }
  }

  /// How to ask for entities of a prompt.
  ///
  /// - Throws: `EntityError` where words have no token or no room in a query.
  func queries(for entities: [Entity], prompt: String) throws -> [EntityQuery] {
    try queries.queries(for: entities, prompt: prompt, embeddings: source.usesEmbeddings)
  }

  /// Makes the mask of a picture of the settings' size.
  ///
  /// - Throws: `ImagingError` where that size is out of a picture's range.
  public func compose(_ maps: EntityMaps, _ entities: [Entity]) throws -> ComposedMask {
    try composer.compose(
      maps, entities: entities, width: sampling.width, height: sampling.height)
  }
}
