import LatentDiffusion
import MaskGrounding
import TensorCore

/// One batch on its way through the U-Net, with a source listening.
final class LabellingBatch {
  private let labeller: Labeller
  private let queries: [[EntityQuery]]
  private let text: Tensor
  private let unconditionalText: Tensor?
  private let batch: ReadingBatch
  private let reading: any MaskReading
  /// Whether the source wants rows without the text and the sampler has none: it is shown the way afterwards.
  private let readsAfterwards: Bool
  private var trajectory = Trajectory()
  private var isRead = false

  init(
    _ labeller: Labeller, queries: [[EntityQuery]], callCount: Int, text: Tensor,
    unconditionalText: Tensor
  ) {
    let isGuided = Guidance(scale: Float(labeller.sampling.guidance)).isOn
    let hasUnconditional = isGuided || labeller.source.needsUnconditional
    self.labeller = labeller
    self.queries = queries
    self.text = text
    self.unconditionalText = hasUnconditional ? unconditionalText : nil
    readsAfterwards = hasUnconditional && !isGuided
    batch = ReadingBatch(
      sampleCount: queries.count, stepCount: callCount,
      hasUnconditional: hasUnconditional)
    reading = labeller.source.reading(of: batch)
  }

  /// What the sampler's call of the U-Net is to hand out.
  func taps(step: Int, timestep: Int) -> UNetTaps? {
    readsAfterwards ? nil : reading.taps(step: step, timestep: timestep)
  }

  /// Remembers what the U-Net was shown, where it will be shown again.
  func note(_ progress: LatentSampler.Progress) {
    guard readsAfterwards || labeller.flipCheck else { return }
    trajectory.points.append(
      .init(
        step: progress.step, timestep: progress.timestep, modelTimestep: progress.modelTimestep,
        latents: progress.modelInput))
  }

  /// The labels of a sample, after the last step.
  func labels(_ position: Int) throws -> Labels {
    if readsAfterwards && !isRead {
      trajectory.show(
        to: reading, unet: labeller.unet, text: text, unconditionalText: unconditionalText)
      isRead = true
    }
    let queries = queries[position]
    let entities = queries.map(\.entity)
    let composed = try labeller.compose(
      try reading.maps(sample: position, queries: queries), entities)
    return Labels(
      entities: entities, composed: composed,
      agreement: try labeller.flipCheck
        ? agreement(position, queries, composed) : entities.map { _ in nil })
  }

  /// How far the masks of the mirrored picture, mirrored back, are the same.
  private func agreement(
    _ position: Int, _ queries: [EntityQuery], _ composed: ComposedMask
  ) throws -> [Double?] {
    var alone = batch
    alone.sampleCount = 1
    let mirrored = labeller.source.reading(of: alone)
    let row = position..<position + 1
    trajectory.rows(row).mirrored.show(
      to: mirrored, unet: labeller.unet, text: text.rows(row),
      unconditionalText: unconditionalText?.rows(row))
    let maps = try mirrored.maps(sample: 0, queries: queries).flippedHorizontally
    let entities = queries.map(\.entity)
    let other = try labeller.compose(maps, entities)
    let shares = MaskAgreement.intersectionOverUnion(composed.mask, other.mask)
    // Found in neither picture, the two agree.
    return entities.map { shares[$0.classID] ?? 1 }
  }
}
