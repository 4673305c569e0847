import CanonicalJSON
import Checkpoints
import Foundation
import LatentDiffusion
import MaskGrounding
import ModelTraining
import TensorCore
import TestSupport
import Testing

/// Times training steps of the embedded model's grounding module for `Tests/FullSize/compare_training.py`.
@Suite struct TrainingSpeedTests {
  private static let steps = ProcessInfo.processInfo.environment["TRIPTYCH_TRAINING_STEPS"]
    .flatMap { Int($0) }

  @Test(.enabled(if: steps != nil)) func aStepOfTheEmbeddedModelsModule() throws {
    let steps = try #require(Self.steps)
    let file = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources/DefaultModel/Model/unet/config.json")
    let unet = try UNetConfiguration(
      try JSONValue.parse(Array(try Data(contentsOf: file))), file: file.path)
    let configuration = GroundingConfiguration(for: unet, prediction: nil)
    let (batch, entityCount, side, pixels) = (8, 2, 16, 128)
    var random = SeededGenerator(seed: 6)
    let maps = configuration.levels.enumerated().map { level, part in
      part.channels.map { channels in
        (0..<2).map { _ in random.tensor([batch, side >> level, side >> level, channels]) }
      }
    }
    let entities = random.tensor([batch, entityCount, configuration.textWidth])
    let masks = random.tensor([batch, entityCount, pixels, pixels]).mapped { $0 > 0 ? 1 : 0 }
    let targets = GroundingTargets(
      masks: masks, presence: Tensor(repeating: 1, shape: [batch, entityCount]))
    var trainer = try Trainer(
      try GroundingWeights.random(configuration, seed: 1), isBuffer: GroundingModule.isBuffer,
      TrainingSettings(learningRate: 1e-4, schedule: .init(total: steps + 2)), task: "speed")
    var seconds: [Double] = []
    for step in 0..<steps + 2 {
      let time = try ContinuousClock().measure {
        let report = try trainer.step { weights, pass in
          let module = try GroundingModule(weights, configuration)
          var features = module.emptyFeatures
          for (level, maps) in maps.enumerated() {
            for pair in maps {
              module.add(
                conditional: pair[1], unconditional: pair[0], level: level, to: &features)
            }
          }
          return GroundingLoss()(module(features, entities: entities, training: pass), targets)
        }
        #expect(report.loss.isFinite)
      }
      if step >= 2 { seconds.append(time / .seconds(1)) }
    }
    let levels = configuration.levels.map { level -> JSONValue in
      [
        "width": .integer(Int64(level.width)),
        "channels": .array(level.channels.map { .integer(Int64($0)) }),
      ]
    }
    let report: JSONValue = [
      "seconds": .array(seconds.map { .number($0) }), "levels": .array(levels),
      "text_width": .integer(Int64(configuration.textWidth)),
      "width": .integer(Int64(configuration.width)), "heads": .integer(Int64(configuration.heads)),
      "layers": .integer(Int64(configuration.layers)),
      "hidden_width": .integer(Int64(configuration.hiddenWidth)),
      "patch": .integer(Int64(configuration.patch)),
      "parameters": .integer(Int64(trainer.state.parameters.values.reduce(0) { $0 + $1.count })),
    ]
    print("training-step \(report.text)")
  }
}
