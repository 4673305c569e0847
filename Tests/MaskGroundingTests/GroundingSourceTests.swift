import Checkpoints
import LatentDiffusion
import MaskGrounding
import TensorCore
import TestSupport
import Testing

/// A grounding module listening to the tiny U-Net.
@Suite struct GroundingSourceTests {
  private let unet: UNet
  private let module: GroundingModule

  init() throws {
    let fixture = try Fixture("diffusion/tiny-sd1/unet/diffusion_pytorch_model.safetensors")
    unet = try UNet(fixture.weights(), GroundingFileTests.unet("tiny-sd1"))
    module = try GroundingWeights(path: GroundingModuleTests.path).module()
  }

  private func source(
    _ module: GroundingModule? = nil, steps: [GroundingStep]? = nil
  ) throws -> GroundingSource {
    try GroundingSource(
      module: module ?? self.module, file: "ours.safetensors", unet: unet.configuration,
      prediction: .noise, pictureHeight: 72, pictureWidth: 56, steps: steps)
  }

  private func queries(_ count: Int) -> [EntityQuery] {
    var random = SeededGenerator(seed: 9)
    return (0..<count).map { index in
      EntityQuery(
        entity: Entity(name: "e\(index)", classID: index + 1, words: "e\(index)"),
        promptTokens: [], embedding: random.tensor([32]))
    }
  }

  /// Runs the U-Net over some timesteps as a sampler would, and reads it.
  private func read(
    _ source: GroundingSource, seeds: [UInt64], timesteps: [Int], guided: Bool = true
  ) -> any MaskReading {
    let reading = source.reading(
      of: ReadingBatch(
        sampleCount: seeds.count, stepCount: timesteps.count, hasUnconditional: guided))
    let latents = LatentNoise.initial(seeds: seeds, height: 9, width: 7, channels: 4)
    let rows = seeds.map { Int($0) }
    let text = joinedRows(rows.map { self.text(UInt64($0)) })
    let empty = joinedRows(rows.map { _ in self.text(0) })
    for (step, timestep) in timesteps.enumerated() {
      _ = unet(
        guided ? joinedRows([latents, latents]) : latents, timesteps: [timestep],
        text: guided ? joinedRows([empty, text]) : text,
        taps: reading.taps(step: step, timestep: timestep))
    }
    return reading
  }

  private func text(_ seed: UInt64) -> Tensor {
    RandomStreams(seed: seed).normals(stream: 7, shape: [1, 5, 32])
  }

  @Test func mapsAreProbabilitiesAtThePicturesSize() throws {
    let reading = read(try source(), seeds: [1, 2], timesteps: [500, 1])
    let maps = try reading.maps(sample: 1, queries: queries(3))
    #expect(maps.probabilities.shape == [3, 72, 56] && maps.presence.count == 3)
    #expect(maps.probabilities.values.allSatisfy { (0...1).contains($0) })
    #expect(maps.presence.allSatisfy { (0...1).contains($0) })
    #expect(Set(maps.probabilities.values).count > 1000)
    #expect(try reading.maps(sample: 0, queries: []).probabilities.shape == [0, 72, 56])
  }

  @Test func aSamplesMapsDoNotDependOnItsBatch() throws {
    let both = read(try source(), seeds: [1, 2], timesteps: [300, 1])
    for (sample, seed) in [(0, 1), (1, 2)] {
      let alone = read(try source(), seeds: [UInt64(seed)], timesteps: [300, 1])
      let (a, b) = (
        try both.maps(sample: sample, queries: queries(2)),
        try alone.maps(sample: 0, queries: queries(2))
      )
      #expect(a.probabilities.values == b.probabilities.values && a.presence == b.presence)
    }
  }

  @Test func theReadingIsTheModuleOnTheBlocksMaps() throws {
    let reading = read(try source(), seeds: [3], timesteps: [1])
    var features = module.emptyFeatures
    let latents = LatentNoise.initial(seeds: [3], height: 9, width: 7, channels: 4)
    let taps = UNetTaps(blocks: Set(unet.blocks.map(\.place))) { block, map in
      module.add(
        conditional: map.rows(1..<2), unconditional: map.rows(0..<1), level: block.level,
        to: &features)
    }
    _ = unet(
      joinedRows([latents, latents]), timesteps: [1], text: joinedRows([text(0), text(3)]),
      taps: taps)
    let embeddings = joinedRows(queries(2).compactMap { $0.embedding?.reshaped([1, 32]) })
    let result = module(features, entities: embeddings.reshaped([1, 2, 32]))
    let maps = try reading.maps(sample: 0, queries: queries(2))
    let expected = sigmoid(result.logits(height: 72, width: 56))
    #expect(maps.probabilities.values == expected.values)
    #expect(maps.presence == sigmoid(try #require(result.presence)).values)
  }

  @Test(arguments: [
    ([GroundingStep.fromEnd(0)], [2]), ([.fromEnd(1)], [1]), ([.fromEnd(9)], [0]),
    ([.timestep(300)], [1]), ([.timestep(7)], [2]), ([.fromEnd(0), .fromEnd(2)], [0, 2]),
    ([.fromEnd(0), .timestep(1)], [2]),
  ])
  func theStepsThatAreReadAreChosen(steps: [GroundingStep], expected: [Int]) throws {
    let timesteps = [900, 300, 1]
    let reading = try source(steps: steps).reading(
      of: ReadingBatch(sampleCount: 1, stepCount: 3, hasUnconditional: true))
    let read = timesteps.indices.filter {
      reading.taps(step: $0, timestep: timesteps[$0]) != nil
    }
    #expect(read == expected)
  }

  @Test func aModuleOfOnePredictionReadsRunsWithAndWithoutGuidance() throws {
    let unconditional = try GroundingWeights(path: GroundingModuleTests.path).configuration
    var configuration = unconditional
    configuration.readsUnconditional = false
    configuration.hasPresence = false
    let weights = DictionarySource(try GroundingWeights.random(configuration, seed: 2))
    let single = try GroundingModule(WeightScope(weights), configuration)
    let source = try source(single)
    #expect(!source.needsUnconditional && source.usesEmbeddings)
    let guided = try read(source, seeds: [4], timesteps: [1]).maps(sample: 0, queries: queries(2))
    let plain = try read(source, seeds: [4], timesteps: [1], guided: false)
      .maps(sample: 0, queries: queries(2))
    #expect(guided.probabilities.values == plain.probabilities.values)
    // Without a say of its own, the highest probability of the map stands for presence.
    for index in 0..<2 {
      #expect(plain.presence[index] == plain.probabilities.rows(index..<index + 1).values.max())
    }
    #expect(try self.source().needsUnconditional)
  }

  @Test func whatDoesNotGoTogetherIsRefused() throws {
    #expect(throws: CheckpointError.self) {
      try GroundingSource(
        module: module, file: "ours.safetensors", unet: GroundingFileTests.unet("tiny-sd2"),
        pictureHeight: 8, pictureWidth: 8)
    }
    let reading = read(try source(), seeds: [1], timesteps: [1])
    var query = queries(1)[0]
    query.embedding = Tensor.zeros([31])
    #expect(throws: DiffusionError.self) { try reading.maps(sample: 0, queries: [query]) }
    query.embedding = nil
    #expect(throws: DiffusionError.self) { try reading.maps(sample: 0, queries: [query]) }
    let unread = try source().reading(
      of: ReadingBatch(sampleCount: 1, stepCount: 3, hasUnconditional: true))
    #expect(throws: DiffusionError.self) { try unread.maps(sample: 0, queries: []) }
  }
}
