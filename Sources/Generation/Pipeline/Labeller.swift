import Checkpoints
import Imaging
import LatentDiffusion
import MaskGrounding
import TensorCore
import TextConditioning

/// Reads the masks of a run's samples off the U-Net that makes them.
final class Labeller {
  let unet: UNet
  let source: any MaskSource
  let composer: MaskComposer
  let flipCheck: Bool
  let sampling: SamplingSettings
  private let entities: SampleEntities
  private let queries: EntityQueryBuilder

  /// Loads what the settings name.
  ///
  /// - Throws: `CheckpointError`, `EntityError` or ``GenerationError`` where it does not go with the model.
  init(
    _ settings: MaskSettings, plan: GenerationPlan, loader: MaskSourceLoader,
    tokenizer: CLIPTokenizer, encoder: CLIPTextEncoder, sampling: SamplingSettings
  ) throws {
    unet = loader.unet
    self.sampling = sampling
    flipCheck = settings.flipCheck
    composer = MaskComposer(settings.composition)
    entities = try SampleEntities(plan.source, names: settings.entities)
    let loaded = try loader.load(settings.source)
    source = loaded.source
    queries = try EntityQueryBuilder(
      tokenizer: tokenizer, encoder: encoder, settings: loaded.querySettings)
  }

  /// Begins to read a batch.
  ///
  /// - Parameters:
  ///   - samples: the samples, one a row.
  ///   - callCount: how often the U-Net will be called.
  ///   - text: their encoded prompts [n, T, D].
  ///   - unconditionalText: the encoded negative prompts [n, T, D].
  /// - Returns: the batch, listening.
  /// - Throws: `EntityError` where words have no token or no room in a query.
  func begin(
    _ samples: [GenerationPlan.Sample], callCount: Int, text: Tensor, unconditionalText: Tensor
  ) throws -> LabellingBatch {
    LabellingBatch(
      self, queries: try samples.map(queries(for:)), callCount: callCount, text: text,
      unconditionalText: unconditionalText)
  }

  /// What a sample without a usable picture has: nothing is in it.
  func emptyLabels(_ sample: GenerationPlan.Sample) throws -> Labels {
    let entities = entities.entities(of: sample)
    let nothing = EntityMaps(
      probabilities: Tensor.zeros([entities.count, 1, 1]), presence: entities.map { _ in 0 })
    return Labels(
      entities: entities, composed: try compose(nothing, entities),
      agreement: entities.map { _ in nil })
  }

  func compose(_ maps: EntityMaps, _ entities: [Entity]) throws -> ComposedMask {
    try composer.compose(
      maps, entities: entities, width: sampling.width, height: sampling.height)
  }

  private func queries(for sample: GenerationPlan.Sample) throws -> [EntityQuery] {
    try queries.queries(
      for: entities.entities(of: sample), prompt: sample.prompt,
      embeddings: source.usesEmbeddings)
  }
}
