import LatentDiffusion
import TensorCore

/// A grounding module listening to the U-Net: every block's map is projected as it comes, and let go.
final class GroundingReading: MaskReading {
  private let module: GroundingModule
  private let batch: ReadingBatch
  private let steps: [GroundingStep]
  private let pictureHeight: Int
  private let pictureWidth: Int
  private let places: Set<UNetBlock.Place>
  private var features: ProjectedFeatures
  private var seen: Set<GroundingStep> = []

  init(
    _ module: GroundingModule, _ batch: ReadingBatch, steps: [GroundingStep], pictureHeight: Int,
    pictureWidth: Int, places: Set<UNetBlock.Place>
  ) {
    precondition(
      batch.hasUnconditional || !module.configuration.readsUnconditional,
      "grounding: the module reads maps without the text, which this batch does not have")
    self.module = module
    self.batch = batch
    self.steps = steps
    (self.pictureHeight, self.pictureWidth) = (pictureHeight, pictureWidth)
    features = module.emptyFeatures
    self.places = places
  }

  func taps(step: Int, timestep: Int) -> UNetTaps? {
    let matching = steps.filter {
      $0.matches(
        step: step, timestep: timestep, stepCount: batch.stepCount, wasSeen: seen.contains($0))
    }
    guard !matching.isEmpty else { return nil }
    seen.formUnion(matching)
    return UNetTaps(blocks: places) { [self] block, map in add(map, of: block) }
  }

  private func add(_ map: Tensor, of block: UNetBlock) {
    let n = batch.sampleCount
    module.add(
      conditional: batch.hasUnconditional ? map.rows(n..<2 * n) : map,
      unconditional: batch.hasUnconditional ? map.rows(0..<n) : nil, level: block.level,
      to: &features)
  }

  func maps(sample: Int, queries: [EntityQuery]) throws -> EntityMaps {
    guard !seen.isEmpty else {
      throw DiffusionError(
        .invalidSetting, "grounding", "none of the U-Net's \(batch.stepCount) calls was read")
    }
    let width = module.configuration.textWidth
    let embeddings = try queries.map { query in
      guard let embedding = query.embedding, embedding.count == width else {
        throw DiffusionError(
          .invalidSetting, "entity \(query.entity.name)",
          "its embedding has shape \(query.embedding?.shape ?? []), the grounding module expects [\(width)]")
      }
      return embedding.reshaped([1, width])
    }
    let count = queries.count
    guard count > 0 else {
      return EntityMaps(
        probabilities: Tensor.zeros([0, pictureHeight, pictureWidth]), presence: [])
    }
    let result = module(
      features.sample(sample), entities: joinedRows(embeddings).reshaped([1, count, width]))
    let probabilities = sigmoid(result.logits(height: pictureHeight, width: pictureWidth))
      .reshaped([count, pictureHeight, pictureWidth])
    let presence =
      result.presence.map { sigmoid($0).values }
      ?? (0..<count).map { index in
        probabilities.rows(index..<index + 1).withUnsafeBuffer { $0.max() ?? 0 }
      }
    return EntityMaps(probabilities: probabilities, presence: presence)
  }
}
