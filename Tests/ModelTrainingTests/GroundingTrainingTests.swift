import Checkpoints
import MaskGrounding
import ModelTraining
import NeuralLayers
import TensorCore
import TestSupport
import Testing

/// Training of the grounding module against PyTorch (Tests/Fixtures/training/generate.py).
@Suite struct GroundingTrainingTests {
  @Test func theFirstGradientsAgree() throws {
    let batch = try GroundingBatch()
    let expected = try Fixture("training/gradients.safetensors")
    let tracked = batch.weights.mapValues { $0.tracked() }
    let loss = try batch.loss(WeightScope(DictionarySource(tracked)), TrainingPass())
    let gradients = loss.gradients()
    #expect(
      expected.keys.count == batch.weights.keys.filter { !GroundingModule.isBuffer($0) }.count)
    // The bound is of the range of each tensor's own gradient.
    for key in expected.keys {
      let leaf = try #require(tracked[key])
      let found = try #require(gradients[leaf], "\(key)")
      if Self.isCancelled(key) {
        // What a batch norm takes off again has no gradient; what is left is rounding, here and there.
        let weight = try #require(tracked[key.replacing("bias", with: "weight")])
        let largest = try #require(gradients[weight]).values.map(abs).max() ?? 0
        let left = (found.values + (try expected.tensor(key).values)).map(abs).max() ?? .infinity
        print("gradient \(key): \(left / largest) of its weight's (limit 1e-6)")
        #expect(left <= 1e-6 * largest, "\(key)")
        continue
      }
      #expect(
        Difference(found, try expected.tensor(key)).keeps(within: .layer, "gradient \(key)"),
        "\(key)")
    }
  }

  /// Whether a key is the bias of a convolution that only batch norms follow.
  private static func isCancelled(_ key: String) -> Bool {
    key.hasSuffix("mix.conv1.bias") || key == "levels.1.mix.conv2.bias"
  }

  @Test func tenLossesAgree() throws {
    let batch = try GroundingBatch()
    let fixture = try Fixture("training/steps.safetensors")
    let expected = try fixture.tensor("losses").values
    var trainer = try Trainer(
      batch.weights, isBuffer: GroundingModule.isBuffer,
      TrainingSettings(learningRate: 1e-3, schedule: .init(total: 10)), task: "parity")
    for step in 0..<10 {
      let report = try trainer.step(batch.loss)
      let relative = abs(report.loss - expected[step]) / expected[step]
      print(
        "step \(step): loss \(report.loss), PyTorch \(expected[step]), relative \(relative) (limit 0.0001)"
      )
      #expect(relative <= 1e-4)
    }
    #expect(trainer.isFinished)
    for key in fixture.keys where key.hasPrefix("after.") {
      let found = try #require(trainer.state.weights[String(key.dropFirst("after.".count))])
      #expect(Difference(found, try fixture.tensor(key)).keeps(within: .loop, key))
    }
  }

  /// Masks of what is absent, left out by themselves or by counting nothing.
  @Test func emptyMasksOfAbsentEntitiesCountWhatTheyAreToldTo() throws {
    var generator = SeededGenerator(seed: 5)
    let logits = generator.tensor([2, 3, 4, 4])
    let masks = generator.tensor([2, 3, 4, 4], scale: 0.5, mean: 0.5)
    let presence = Tensor([1, 0, 1, 0, 0, 1], shape: [2, 3])
    let result = GroundingModule.Result(logits: logits, presence: generator.tensor([2, 3]))
    let mute = GroundingModule.Result(logits: logits, presence: nil)
    let targets = GroundingTargets(masks: masks, presence: presence)
    func loss(_ absentMasks: Float) -> Float {
      GroundingLoss(presence: 0, absentMasks: absentMasks)(result, targets).scalarValue
    }
    let shown = GroundingLoss(presence: 0)(
      mute, GroundingTargets(masks: masks, counts: presence)
    ).scalarValue
    let all = GroundingLoss()(mute, targets).scalarValue
    #expect(shown < all)
    #expect(loss(0) == shown && loss(1) == all)
    #expect(abs(loss(0.5) - (shown + all) / 2) < 1e-5)
    // A module without presence learns it from its masks alone.
    #expect(GroundingLoss(absentMasks: 0)(mute, targets).scalarValue == all)
  }

  @Test func everyStatisticsAndThePublishedNormsPassGradients() throws {
    let batch = try GroundingBatch()
    var configuration = batch.configuration
    configuration.hasSpectralNorm = true
    configuration.statistics = .image
    let weights = try GroundingWeights.random(configuration, seed: 3)
    var random = SeededGenerator(seed: 12)
    let vectors = weights.filter { $0.key.hasSuffix("u0") }.mapValues { random.tensor($0.shape) }
    let whole = weights.merging(vectors) { $1 }
    let entities = random.tensor([1, 2, configuration.textWidth])
    let maps = configuration.levels.enumerated().map { level, part in
      part.channels.map { random.tensor([1, 8 >> level, 8 >> level, $0]) }
    }
    func loss(_ weights: WeightScope, _ pass: TrainingPass?) throws -> Tensor {
      let module = try GroundingModule(weights, configuration)
      var features = module.emptyFeatures
      for (level, maps) in maps.enumerated() {
        for map in maps {
          module.add(conditional: map, unconditional: map, level: level, to: &features)
        }
      }
      let result = module(features, entities: entities, training: pass)
      return binaryCrossEntropy(result.logits, targets: Tensor.zeros(result.logits.shape))
    }
    for statistics in GroundingConfiguration.Statistics.allCases {
      configuration.statistics = statistics
      let tracked = whole.mapValues { $0.tracked() }
      let pass = TrainingPass()
      let gradients = try loss(WeightScope(DictionarySource(tracked)), pass).gradients()
      #expect(pass.buffers.keys.contains { $0.hasSuffix("u0") })
      #expect(
        pass.buffers.keys.contains { $0.hasSuffix("running_mean") } == (statistics == .running))
      for key in ["levels.0.mix.conv1.weight", "levels.0.mix.norm1.weight"] {
        let leaf = try #require(tracked[key])
        let gradient = try #require(gradients[leaf]).values
        // Spectral norm divides by the weight's own length, so that its gradient has no part along the weight.
        if key.hasSuffix("conv1.weight") {
          let along = zip(gradient, leaf.values).reduce(0.0) { $0 + Double($1.0 * $1.1) }
          let size = zip(gradient, leaf.values).reduce(0.0) { $0 + Double(abs($1.0 * $1.1)) }
          #expect(abs(along) < 1e-4 * size)
        }
        let element = gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) } ?? 0
        func at(_ distance: Float) throws -> Double {
          var values = leaf.values
          values[element] += distance
          let changed = whole.merging([key: Tensor(values, shape: leaf.shape)]) { $1 }
          return Double(
            try loss(WeightScope(DictionarySource(changed)), TrainingPass()).scalarValue)
        }
        if key.hasSuffix("norm1.weight") {
          let slope = (try at(0x1p-6) - at(-0x1p-6)) / 0x1p-5
          #expect(abs(slope - Double(gradient[element])) < 0.02 * abs(slope) + 1e-5)
        }
      }
      // Norms that are kept as they are pass gradients too.
      let frozen = try loss(WeightScope(DictionarySource(tracked)), nil).gradients()
      let scale = try #require(tracked["levels.0.mix.norm1.weight"])
      #expect(frozen[scale] != nil)
    }
  }
}
