import Checkpoints
import Foundation
import LatentDiffusion
import MaskGrounding
import ModelTraining
import NeuralLayers
import TensorCore
import TestSupport

/// The module and the batch of the fixtures of grounding, with what it is trained towards.
struct GroundingBatch {
  let configuration: GroundingConfiguration
  let weights: [String: Tensor]
  let entities: Tensor
  let targets: GroundingTargets
  private let cases: Fixture

  init() throws {
    let path = Fixture.folder.appendingPathComponent("grounding/ours.safetensors").path
    configuration = try GroundingWeights(path: path).configuration
    let stored = try Fixture("grounding/ours.safetensors")
    weights = try Dictionary(
      uniqueKeysWithValues: stored.keys.map { ($0, try stored.tensor($0)) })
    cases = try Fixture("grounding/cases.safetensors")
    entities = try cases.tensor("odd.entities")
    let steps = try Fixture("training/steps.safetensors")
    targets = GroundingTargets(
      masks: try steps.tensor("masks"), presence: try steps.tensor("presence"))
  }

  /// The loss of the module that weights make.
  func loss(_ weights: WeightScope, _ pass: TrainingPass) throws -> Tensor {
    let module = try GroundingModule(weights, configuration)
    var features = module.emptyFeatures
    for (level, part) in configuration.levels.enumerated() {
      for index in part.channels.indices {
        let key = "odd.feature.level\(level).\(index)"
        module.add(
          conditional: try cases.map("\(key).cond"), unconditional: try cases.map("\(key).uncond"),
          level: level, to: &features)
      }
    }
    return GroundingLoss()(module(features, entities: entities, training: pass), targets)
  }
}
