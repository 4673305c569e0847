import LatentDiffusion
import MaskGrounding
import TensorCore
import TestSupport
import Testing

/// Maps from attention beside diffusers and PyTorch (Tests/Fixtures/masks/generate.py).
@Suite struct AttentionSourceTests {
  private static let times = [801, 401, 1]

  private static let settings: [String: AttentionSettings] = [
    "plain": .init(refinement: nil),
    "refined": .init(),
    "coarse": .init(refinement: .init(power: 2, level: 1), normalisation: .peak),
    "some": .init(
      levels: [1, 2], steps: .share(from: 1.0 / 3, to: 1), refinement: nil, normalisation: .peak),
  ]

  private let queries = [[2], [4, 5, 6], [9]].enumerated().map { index, tokens in
    EntityQuery(
      entity: Entity(name: "e\(index)", classID: index + 1, words: "e\(index)", mention: 0..<1),
      promptTokens: tokens, contentTokens: 9)
  }

  /// Reads the fixture's three steps; `rows` are the samples taken of its unconditional and conditional halves.
  private func read(
    _ source: AttentionSource, _ name: String, rows: Range<Int> = 0..<2, guided: Bool = true
  ) throws -> any MaskReading {
    let fixture = try Fixture("masks/attention.safetensors")
    let unet = try TinyModel.unet()
    func batch(_ x: Tensor) -> Tensor {
      let conditional = x.rows(rows.lowerBound + 2..<rows.upperBound + 2)
      return guided ? joinedRows([x.rows(rows), conditional]) : conditional
    }
    let reading = source.reading(
      of: ReadingBatch(
        sampleCount: rows.count, stepCount: Self.times.count, hasUnconditional: guided))
    let text = unet.project(text: batch(try fixture.tensor("\(name).text")))
    for (step, time) in Self.times.enumerated() {
      _ = unet(
        batch(try fixture.map("\(name).latents.\(step)")), timesteps: [time], projectedText: text,
        taps: reading.taps(step: step, timestep: time))
    }
    return reading
  }

  @Test(arguments: ["even", "odd"], settings.keys.sorted())
  func mapsAgree(name: String, label: String) throws {
    let fixture = try Fixture("masks/attention.safetensors")
    let settings = try #require(Self.settings[label])
    let source = try AttentionSource(unet: TinyModel.unet(), settings: settings)
    let reading = try read(source, name)
    for sample in 0..<2 {
      let maps = try reading.maps(sample: sample, queries: queries)
      let key = "\(name).\(label).\(sample)"
      let difference = Difference(maps.probabilities, try fixture.tensor("\(key).maps"))
      #expect(difference.keeps(within: .layer, key))
      let presence = Difference(maps.presence, try fixture.tensor("\(key).presence").values)
      #expect(presence.keeps(within: .layer, "\(key) presence"))
    }
  }

  @Test(arguments: [true, false]) func aSampleDoesNotDependOnItsBatch(refined: Bool) throws {
    let settings = AttentionSettings(refinement: refined ? .init() : nil)
    let source = try AttentionSource(unet: TinyModel.unet(), settings: settings)
    let together = try read(source, "odd")
    let alone = try read(source, "odd", rows: 1..<2)
    let unguided = try read(source, "odd", rows: 1..<2, guided: false)
    let expected = try together.maps(sample: 1, queries: queries)
    for reading in [alone, unguided] {
      let found = try reading.maps(sample: 0, queries: queries)
      #expect(found.probabilities.values == expected.probabilities.values)
      #expect(found.presence == expected.presence)
    }
    let one = try together.maps(sample: 1, queries: [queries[1]])
    #expect(one.presence == [expected.presence[1]])
    #expect(one.probabilities.values == expected.probabilities.rows(1..<2).values)
  }

  @Test func theThresholdBecomesOneHalf() throws {
    let half = try AttentionSource(unet: TinyModel.unet(), settings: .init(threshold: 0.5))
    let fifth = try AttentionSource(unet: TinyModel.unet(), settings: .init(threshold: 0.2))
    let scaled = try read(half, "even").maps(sample: 0, queries: queries).probabilities.values
    let moved = try read(fifth, "even").maps(sample: 0, queries: queries).probabilities.values
    #expect(scaled.contains { $0 == 1 } && scaled.contains { $0 == 0 })
    for (scaled, moved) in zip(scaled, moved) {
      #expect((scaled >= 0.2) == (moved >= 0.5) || abs(scaled - 0.2) < 1e-6)
      #expect((0...1).contains(moved))
      if scaled == 0 || scaled == 1 { #expect(moved == scaled) }
    }
  }

  @Test func whatThePromptDoesNotNameHasAnEmptyMap() throws {
    let source = try AttentionSource(unet: TinyModel.unet())
    let unnamed = EntityQuery(entity: Entity(name: "x", classID: 9, words: "x"), promptTokens: [])
    let reading = try read(source, "odd")
    let maps = try reading.maps(sample: 0, queries: [queries[0], unnamed, queries[2]])
    let expected = try reading.maps(sample: 0, queries: queries)
    #expect(maps.presence == [expected.presence[0], 0, expected.presence[2]])
    #expect(maps.probabilities.rows(1..<2).values.allSatisfy { $0 == 0 })
    #expect(maps.probabilities.rows(2..<3).values == expected.probabilities.rows(2..<3).values)
    #expect(try reading.maps(sample: 0, queries: [unnamed]).presence == [0])
    #expect(try reading.maps(sample: 0, queries: []).presence.isEmpty)
  }

  @Test func stepsThatAreNotWantedAreNotTapped() throws {
    let unet = try TinyModel.unet()
    func steps(_ steps: AttentionSettings.Steps, of count: Int) throws -> [Int] {
      let reading = try AttentionSource(unet: unet, settings: .init(steps: steps)).reading(
        of: ReadingBatch(sampleCount: 1, stepCount: count, hasUnconditional: true))
      return (0..<count).filter { reading.taps(step: $0, timestep: 0) != nil }
    }
    #expect(try steps(.all, of: 4) == [0, 1, 2, 3])
    #expect(try steps(.share(from: 0.5, to: 1), of: 4) == [2, 3])
    #expect(try steps(.share(from: 0, to: 0.5), of: 5) == [0, 1])
    #expect(try steps(.listed([3, 1, 9]), of: 4) == [1, 3])
    let none = try AttentionSource(unet: unet, settings: .init(steps: .listed([7])))
    #expect(throws: DiffusionError.self) { try read(none, "odd").maps(sample: 0, queries: queries) }
  }

  @Test(arguments: [
    AttentionSettings(levels: []), .init(levels: [0, 7]), .init(levels: [-1]),
    .init(steps: .listed([])), .init(steps: .listed([-1])),
    .init(steps: .share(from: 0.5, to: 0.5)),
    .init(steps: .share(from: -0.1, to: 1)), .init(steps: .share(from: 0, to: .nan)),
    .init(refinement: .init(power: 0)), .init(refinement: .init(power: 17)),
    .init(refinement: .init(level: 3)), .init(threshold: 0), .init(threshold: 1),
    .init(threshold: .nan),
  ])
  func settingsOutOfRangeAreRefusedInOneLine(settings: AttentionSettings) throws {
    let unet = try TinyModel.unet()
    let error = #expect(throws: DiffusionError.self) {
      try AttentionSource(unet: unet, settings: settings)
    }
    #expect(error?.code == .invalidSetting && error?.description.contains("\n") == false)
  }

  @Test func refiningOnlyWithMapsThatAreTooLargeIsRefused() throws {
    let unet = try TinyModel.unet()
    let source = try AttentionSource(unet: unet, settings: .init(refinement: .init(level: 0)))
    let reading = source.reading(
      of: ReadingBatch(sampleCount: 1, stepCount: 1, hasUnconditional: false))
    let latents = LatentNoise.initial(seeds: [1], height: 65, width: 64, channels: 4)
    let text = LatentNoise.initial(seeds: [2], height: 1, width: 4, channels: 32).reshaped([
      1, 4, 32,
    ])
    _ = unet(
      latents, timesteps: [1], text: text, taps: reading.taps(step: 0, timestep: 1))
    let error = #expect(throws: DiffusionError.self) {
      try reading.maps(
        sample: 0, queries: [EntityQuery(entity: queries[0].entity, promptTokens: [1])])
    }
    #expect(error?.message.contains("4096 pixels") == true)
  }
}
