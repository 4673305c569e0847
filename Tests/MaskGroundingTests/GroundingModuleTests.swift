import CanonicalJSON
import Checkpoints
import Foundation
import LatentDiffusion
import MaskGrounding
import TensorCore
import TestSupport
import Testing

/// Our module against an implementation in PyTorch (Tests/Fixtures/grounding/generate.py).
@Suite struct GroundingModuleTests {
  static let path = Fixture.folder.appendingPathComponent("grounding/ours.safetensors").path

  /// The maps of a fixture [N, h, w, C] as a U-Net would emit them.
  private func features(
    _ fixture: Fixture, _ prefix: String, _ module: GroundingModule, samples: Range<Int>? = nil
  ) throws -> ProjectedFeatures {
    var features = module.emptyFeatures
    for (level, part) in module.configuration.levels.enumerated() {
      for index in part.channels.indices {
        func map(_ half: String) throws -> Tensor {
          let map = try fixture.map("\(prefix)feature.level\(level).\(index).\(half)")
          return samples.map(map.rows) ?? map
        }
        module.add(
          conditional: try map("cond"),
          unconditional: module.configuration.readsUnconditional ? try map("uncond") : nil,
          level: level, to: &features)
      }
    }
    return features
  }

  /// Every third row and column of logits at the picture's size, as the fixture keeps them.
  private func thinned(_ result: GroundingModule.Result, height: Int, width: Int) -> Tensor {
    let logits = result.logits(height: height, width: width)
    let (n, count) = (logits.shape[0], logits.shape[1])
    let (rows, columns) = ((height + 2) / 3, (width + 2) / 3)
    let values = logits.values
    return Tensor(shape: [n, count, rows, columns]) { out in
      for index in 0..<out.count {
        let (plane, place) = (index / (rows * columns), index % (rows * columns))
        out[index] =
          values[
            (plane * height + place / columns * 3) * width + place % columns * 3]
      }
    }
  }

  @Test(arguments: GroundingConfiguration.Statistics.allCases)
  func aBatchAtAnOddSizeAgrees(statistics: GroundingConfiguration.Statistics) throws {
    let fixture = try Fixture("grounding/cases.safetensors")
    var module = try GroundingWeights(path: Self.path).module()
    #expect(module.statistics == .running)
    module.statistics = statistics
    let entities = try fixture.tensor("odd.entities")
    let result = module(try features(fixture, "odd.", module), entities: entities)
    #expect(result.logits.shape == [2, 2, 9, 7])
    let key = "odd.\(statistics.rawValue)"
    let found = thinned(result, height: 72, width: 56)
    #expect(
      Difference(found, try fixture.tensor("\(key).logits")).keeps(within: .layer, "\(key) logits"))
    let presence = try #require(result.presence)
    #expect(
      Difference(presence, try fixture.tensor("\(key).presence"))
        .keeps(within: .layer, "\(key) presence"))
  }

  @Test(arguments: GroundingConfiguration.Statistics.allCases)
  func aSamplesResultDoesNotDependOnItsBatch(
    statistics: GroundingConfiguration.Statistics
  ) throws {
    let fixture = try Fixture("grounding/cases.safetensors")
    var module = try GroundingWeights(path: Self.path).module()
    module.statistics = statistics
    let entities = try fixture.tensor("odd.entities")
    let both = try features(fixture, "odd.", module)
    let together = module(both, entities: entities)
    for sample in 0..<2 {
      let own = entities.rows(sample..<sample + 1)
      let alone = module(
        try features(fixture, "odd.", module, samples: sample..<sample + 1), entities: own)
      #expect(alone.logits.values == together.logits.rows(sample..<sample + 1).values)
      #expect(
        module(both.sample(sample), entities: own).logits.values == alone.logits.values)
    }
  }

  @Test(arguments: GroundingConfiguration.Statistics.allCases)
  func aModuleOfOnePredictionWithSpectralNormsAgrees(
    statistics: GroundingConfiguration.Statistics
  ) throws {
    let fixture = try Fixture("grounding/cases.safetensors")
    let folder = try TemporaryFolder()
    let path = try folder.write(
      fixture, "single.weights.", configuration: fixture.note("single"), to: "module.safetensors")
    var module = try GroundingWeights(path: path).module()
    module.statistics = statistics
    let result = module(
      try features(fixture, "single.", module), entities: try fixture.tensor("single.entities"))
    #expect(result.presence == nil)
    let key = "single.\(statistics.rawValue)"
    #expect(
      Difference(
        thinned(result, height: 48, width: 80), try fixture.tensor("\(key).logits")
      ).keeps(within: .layer, key))
  }

  @Test func anyNumberOfEntitiesIsGrounded() throws {
    let fixture = try Fixture("grounding/cases.safetensors")
    let module = try GroundingWeights(path: Self.path).module()
    let features = try features(fixture, "odd.", module, samples: 0..<1)
    var random = SeededGenerator(seed: 3)
    for count in [0, 1, 2, 200] {
      let entities = random.tensor([1, count, 32])
      let result = module(features, entities: entities)
      #expect(result.logits.shape == [1, count, 9, 7] && result.presence?.shape == [1, count])
      #expect(result.logits.isFinite)
      #expect(result.logits(height: 18, width: 14).shape == [1, count, 18, 14])
    }
    // An entity that is asked for twice is the same twice, and its maps do not depend on the order.
    let pair = random.tensor([1, 2, 32])
    let turned = joinedRows([
      pair.reshaped([2, 32]).rows(1..<2), pair.reshaped([2, 32]).rows(0..<1),
    ])
    .reshaped([1, 2, 32])
    let (one, two) = (module(features, entities: pair), module(features, entities: turned))
    let swapped = joinedRows([
      two.logits.reshaped([2, 63]).rows(1..<2), two.logits.reshaped([2, 63]).rows(0..<1),
    ])
    #expect(Difference(swapped, one.logits.reshaped([2, 63])).keeps(within: .layer, "order"))
  }

  @Test func tinyLatentsStillMakeAToken() throws {
    let module = try GroundingWeights(path: Self.path).module()
    var random = SeededGenerator(seed: 4)
    for (height, width) in [(1, 1), (2, 3), (1, 9), (5, 4)] {
      var features = module.emptyFeatures
      for (level, part) in module.configuration.levels.enumerated() {
        let unit = 1 << level
        let size = [(height + unit - 1) / unit, (width + unit - 1) / unit]
        for channels in part.channels {
          module.add(
            conditional: random.tensor([1] + size + [channels]),
            unconditional: random.tensor([1] + size + [channels]), level: level, to: &features)
        }
      }
      let result = module(features, entities: random.tensor([1, 2, 32]))
      #expect(result.logits.shape == [1, 2, height, width] && result.logits.isFinite)
    }
  }

  @Test func mapsOfSeveralCallsAreAveraged() throws {
    let fixture = try Fixture("grounding/cases.safetensors")
    let module = try GroundingWeights(path: Self.path).module()
    let entities = try fixture.tensor("odd.entities")
    let once = try features(fixture, "odd.", module)
    var twice = once
    for (level, part) in module.configuration.levels.enumerated() {
      for index in part.channels.indices {
        let key = "odd.feature.level\(level).\(index)"
        module.add(
          conditional: try fixture.map("\(key).cond"),
          unconditional: try fixture.map("\(key).uncond"),
          level: level, to: &twice)
      }
    }
    let difference = Difference(
      module(twice, entities: entities).logits, module(once, entities: entities).logits)
    #expect(difference.keeps(within: .layer, "the same maps twice"))
  }

  @Test func aFileIsReadBackAsItWasWritten() throws {
    let folder = try TemporaryFolder()
    let path = folder["random.safetensors"]
    let configuration = try GroundingWeights(path: Self.path).configuration
    let tensors = try GroundingWeights.random(configuration, seed: 5)
    try GroundingWeights.write(tensors, configuration, to: path)
    let first = try Data(contentsOf: URL(fileURLWithPath: path))
    let weights = try GroundingWeights(path: path)
    #expect(weights.configuration == configuration && !weights.isPublished)
    _ = try weights.module()
    try GroundingWeights.write(
      try GroundingWeights.random(configuration, seed: 5), configuration, to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
    var other = try GroundingWeights.random(configuration, seed: 6)
    #expect(other["to_keys.weight"]?.values != tensors["to_keys.weight"]?.values)
    other["to_keys.weight"] = Tensor.zeros([1, 2])
    let error = try #require(throws: CheckpointError.self) {
      try GroundingWeights.write(other, configuration, to: path)
    }
    #expect(error.key == "to_keys.weight")
  }
}

extension TemporaryFolder {
  /// Writes a part of a fixture as a module's file with a configuration; its path.
  func write(
    _ fixture: Fixture, _ prefix: String, configuration: String, to name: String
  ) throws -> String {
    var writer = SafetensorsWriter(metadata: ["triptych_grounding": configuration])
    for key in fixture.keys where key.hasPrefix(prefix) {
      writer.add(String(key.dropFirst(prefix.count)), try fixture.tensor(key))
    }
    try writer.write(to: self[name])
    return self[name]
  }
}
