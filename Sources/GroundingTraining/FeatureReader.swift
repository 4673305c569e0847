package import Generation
import Imaging
package import LatentDiffusion
package import MaskGrounding
package import TensorCore

/// Reads the maps of a U-Net that a grounding module learns from, as generating reads them.
package final class FeatureReader {
  /// A block's maps of some samples [n, h, w, c].
  package struct FeatureMap {
    package var level: Int
    package var conditional: Tensor
    package var unconditional: Tensor?
  }

  private let model: LoadedModel
  private let inverter: LatentInverter
  private let inversion: LatentInverter.Method
  private let stepCount: Int
  private let negativePrompt: String
  private let readsUnconditional: Bool
  private let places: Set<UNetBlock.Place>
  /// The steps that are read, with their timesteps.
  let steps: [(step: Int, timestep: Int)]

  /// - Throws: `DiffusionError` where the model's scheduler file cannot be used.
  package init(
    _ model: LoadedModel, _ configuration: GroundingConfiguration,
    inversion: LatentInverter.Method, stepCount: Int, negativePrompt: String
  ) throws {
    self.negativePrompt = negativePrompt
    self.model = model
    self.inversion = inversion
    self.stepCount = stepCount
    let schedule = try model.model.schedulerConfiguration()
    inverter = try LatentInverter(unet: model.unet, configuration: schedule)
    readsUnconditional = configuration.readsUnconditional
    places = Set(model.unet.blocks.map(\.place))
    let timesteps = try inverter.timesteps(stepCount: stepCount)
    steps = GroundingStep.calls(configuration.steps, of: timesteps).map { ($0, timesteps[$0]) }
  }

  /// The maps of all blocks in call order.
  ///
  /// - Parameters:
  ///   - examples: the pictures.
  ///   - prompts: what the U-Net is told they show.
  /// - Returns: maps of as many samples; of several steps one after the other.
  /// - Throws: `DiffusionError` where numbers leave their range.
  package func maps(of examples: [TrainingExample], prompts: [String]) throws -> [FeatureMap] {
    let trajectory = try trajectory(of: examples)
    let collector = FeatureCollector(
      count: examples.count, hasUnconditional: readsUnconditional, places: places)
    trajectory.show(
      to: collector, unet: model.unet, text: model.conditioner(prompts),
      unconditionalText: readsUnconditional
        ? model.conditioner(Array(repeating: negativePrompt, count: prompts.count)) : nil)
    guard collector.maps.allSatisfy(\.conditional.isFinite) else {
      throw DiffusionError(.notFinite, "U-Net", "its maps are not finite; the model is broken")
    }
    return collector.maps
  }

  private typealias PixelPicture = (image: PixelImage, example: TrainingExample)

  private func trajectory(of examples: [TrainingExample]) throws -> Trajectory {
    var pictures: [PixelPicture] = []
    var ways: [Trajectory] = []
    for example in examples {
      switch example.picture {
      case .pixels(let image): pictures.append((image, example))
      case .way(let way): ways.append(way)
      }
    }
    precondition(pictures.isEmpty || ways.isEmpty, "pictures and latents in one step")
    guard let first = ways.first else { return try inverted(pictures) }
    return Trajectory(
      points: first.points.indices.map { index in
        var point = first.points[index]
        point.latents = joinedRows(ways.map { $0.points[index].latents })
        return point
      })
  }

  private func inverted(_ pictures: [PixelPicture]) throws -> Trajectory {
    let clean = model.latents(of: pictures.map(\.image))
    guard clean.isFinite else {
      throw DiffusionError(
        .notFinite, "autoencoder", "a picture's latents are not finite; the model is broken")
    }
    let read = Set(steps.map(\.step))
    let found: LatentInverter.Trajectory
    switch inversion {
    case .noise:
      found = try inverter.noised(
        clean, seeds: pictures.map(\.example.seed), stepCount: stepCount,
        keeping: { step, _ in read.contains(step) })
    case .ddim:
      let request = LatentSampler.Request(
        noise: clean, text: model.conditioner(pictures.map(\.example.prompt)),
        unconditionalText: nil, stepCount: stepCount, guidance: Guidance(scale: 1))
      found = try inverter.inverted(request, keeping: { step, _ in read.contains(step) })
    }
    return Trajectory(
      points: steps.compactMap { step, timestep in
        found.latents[step].map { .init(step: step, timestep: timestep, latents: $0) }
      })
  }
}

/// Keeps what the U-Net hands out.
private final class FeatureCollector: MaskReading {
  private(set) var maps: [FeatureReader.FeatureMap] = []
  private let count: Int
  private let hasUnconditional: Bool
  private let places: Set<UNetBlock.Place>

  init(count: Int, hasUnconditional: Bool, places: Set<UNetBlock.Place>) {
    (self.count, self.hasUnconditional, self.places) = (count, hasUnconditional, places)
  }

  func taps(step: Int, timestep: Int) -> UNetTaps? {
    UNetTaps(blocks: places) { [self] block, map in
      maps.append(
        .init(
          level: block.level,
          conditional: hasUnconditional ? map.rows(count..<2 * count) : map,
          unconditional: hasUnconditional ? map.rows(0..<count) : nil))
    }
  }

  func maps(sample: Int, queries: [EntityQuery]) throws -> EntityMaps {
    preconditionFailure("features that are learnt from have no maps yet")
  }
}
