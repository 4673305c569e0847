import Checkpoints
import Foundation
import MaskGrounding
import TensorCore
import TestSupport
import Testing

/// The published module against the published code, on tensors made by formula.
@Suite struct PublishedModuleTests {
  /// Asks a model what it wants: every key of the published checkpoint with its shape.
  private static func weights(seed: UInt64) throws -> DictionarySource {
    let decoder = "transfromer_decoder.layers.0.norm1.weight"
    let audit = WeightAudit(DictionarySource([decoder: Tensor.zeros([512])]))
    _ = try GroundingModule(audit.scope, .published)
    let report = audit.report
    #expect(report.misshapen.isEmpty && report.unexpected.isEmpty)
    var tensors: [String: Tensor] = [:]
    for finding in report.missing {
      tensors[finding.key] = Formula.tensor(
        finding.key, finding.expected ?? [], kind(finding.key, finding.expected ?? []), seed: seed)
    }
    tensors[decoder] = Formula.tensor(decoder, [512], .norm, seed: seed)
    return DictionarySource(tensors, name: "formula")
  }

  private static func kind(_ key: String, _ shape: [Int]) -> Formula.Kind {
    let name = key.split(separator: ".").last ?? ""
    if name.hasPrefix("stored_mean") { return .mean }
    if name.hasPrefix("stored_var") { return .variance }
    if name == "u0" || name == "sv0" { return .input }
    if name == "bias" { return .bias }
    return shape.count == 1 ? .norm : .weight
  }

  private static func features(_ module: GroundingModule, seed: UInt64) -> ProjectedFeatures {
    var features = module.emptyFeatures
    for (level, name) in ["highest", "high", "mid", "low"].enumerated() {
      let side = 64 >> level
      for (index, channels) in module.configuration.levels[level].channels.enumerated() {
        func map(_ half: String) -> Tensor {
          Formula.tensor(
            "feature.\(name).\(index).\(half)", [1, channels, side, side], .input, seed: seed
          ).channelsLast()
        }
        module.add(
          conditional: map("cond"), unconditional: map("uncond"), level: level, to: &features)
      }
    }
    return features
  }

  @Test func theFormulaIsTheOneOfTheFixture() {
    // Values in the range that the formula states, and different for every name, index and seed.
    let tensor = Formula.tensor("check", [4, 3], .weight, seed: 7)
    #expect(tensor.values.allSatisfy { abs($0) <= 1 } && Set(tensor.values).count == 12)
    #expect(Formula.tensor("check", [4, 3], .weight, seed: 8).values != tensor.values)
  }

  @Test(arguments: [1, 2] as [UInt64])
  func logitsAgreeWithThePublishedCode(seed: UInt64) throws {
    let fixture = try Fixture("grounding/published.safetensors")
    var module = try GroundingModule(WeightScope(Self.weights(seed: seed)), .published)
    let features = Self.features(module, seed: seed)
    let count = Int(seed)
    let entities = Formula.tensor("entities", [1, count, 768], .input, seed: seed)
    for (statistics, mode) in [
      (GroundingConfiguration.Statistics.running, "eval"), (.image, "train"),
    ] {
      module.statistics = statistics
      let logits = module(features, entities: entities).logits(height: 512, width: 512)
      let key = "seed\(seed).\(mode)"
      let expected = try fixture.tensor("\(key).logits_every_4th")
      let moments = try fixture.tensor("\(key).mean_std").values
      let found = Tensor(
        (0..<count * 128 * 128).map { index in
          let (entity, place) = (index / 16384, index % 16384)
          return (entity, place / 128 * 4, place % 128 * 4)
        }.map { entity, y, x in logits.values(entity, y, x) }, shape: [count, 128, 128])
      let difference = Difference(found, expected)
      let share = difference.maximum / moments[1]
      print("parity \(key): \(difference), \(share) of the standard deviation \(moments[1])")
      #expect(share <= 1e-3)
      let mean = logits.values.reduce(0.0) { $0 + Double($1) } / Double(logits.count)
      #expect(abs(mean - Double(moments[0])) <= 1e-3 * Double(moments[1]))
    }
  }
}

extension Tensor {
  /// A value of a tensor [1, n, H, W].
  fileprivate func values(_ entity: Int, _ y: Int, _ x: Int) -> Float {
    withUnsafeBuffer { $0[(entity * shape[2] + y) * shape[3] + x] }
  }
}
