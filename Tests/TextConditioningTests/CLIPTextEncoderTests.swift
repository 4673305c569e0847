import Checkpoints
import Foundation
import TensorCore
import Testing
import TextConditioning

/// Hidden states beside those of transformers' CLIPTextModel, computed from the same float16 weights.
struct CLIPTextEncoderTests {
  private func safetensors(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: TextFixtures.folder.appendingPathComponent(name).path)
  }

  private func encoder(
    _ name: String, renamed: (String) -> String? = { $0 }
  ) throws -> CLIPTextEncoder {
    let configuration = try CLIPTextConfiguration(
      file: TextFixtures.folder.appendingPathComponent("encoder/\(name)/config.json").path)
    let stored = try safetensors("encoder/\(name)/model.safetensors")
    return try CLIPTextEncoder(
      WeightScope(RenamedSource(stored, renamed)), configuration: configuration)
  }

  /// The largest difference as a part of the expected range, which is printed.
  private func difference(_ found: Tensor, _ expected: Tensor, _ label: String) -> Float {
    #expect(found.shape == expected.shape)
    let (x, y) = (found.values, expected.values)
    let range = (y.max() ?? 0) - (y.min() ?? 0)
    let largest = zip(x, y).map { abs($0 - $1) }.max() ?? .infinity
    print("\(label): max abs difference \(largest), of the range \(largest / range)")
    return largest / range
  }

  @Test(arguments: ["quick", "exact"])
  func everyHiddenStateEqualsTheReferences(_ name: String) throws {
    let encoder = try encoder(name)
    let states = try safetensors("encoder/\(name)/states.safetensors")
    let ids: [[Int]] = try TextFixtures.decoded("encoder/\(name)/ids.json")
    for depth in 0...encoder.configuration.layerCount {
      let expected = try states.tensor("hidden.\(depth)")
      let found = encoder.hiddenState(ids, after: depth)
      #expect(difference(found, expected, "\(name) hidden state \(depth)") <= 1e-4)
    }
    let expected = try states.tensor("last")
    #expect(difference(encoder(ids), expected, "\(name) last hidden state") <= 1e-4)
  }

  @Test func laterTokensDoNotChangeEarlierStates() throws {
    let encoder = try encoder("quick")
    let whole = encoder([[5, 6, 7, 8, 9]]).values
    let start = encoder([[5, 6, 7, 100, 200]]).values
    let width = encoder.configuration.width
    #expect(whole.prefix(3 * width).elementsEqual(start.prefix(3 * width)))
    #expect(!whole.suffix(width).elementsEqual(start.suffix(width)))
  }

  @Test func batchesEqualSingleSequences() throws {
    let encoder = try encoder("exact")
    let (a, b) = ([1, 2, 3, 4], [9, 8, 7, 6])
    let both = encoder([a, b])
    let parts = [encoder([a]), encoder([b])].flatMap(\.values)
    let largest = zip(both.values, parts).map { abs($0 - $1) }.max() ?? .infinity
    #expect(both.shape == [2, 4, 48])
    #expect(largest <= 1e-5)
  }

  @Test func bothNamingsOfTheWeightsAreRead() throws {
    let ids = [[1, 2, 3]]
    let nested = try encoder("quick")
    let bare = try encoder("quick") { key in
      key.hasPrefix("text_model.") ? String(key.dropFirst(11)) : nil
    }
    #expect(nested(ids).values == bare(ids).values)
  }

  @Test func weightsThatDoNotFitAreRefusedByKey() throws {
    let norm = "text_model.final_layer_norm.weight"
    let missing = #expect(throws: CheckpointError.self) {
      _ = try encoder("quick") { $0 == norm ? nil : $0 }
    }
    #expect(missing?.code == .missingTensor)
    #expect(missing?.key == norm)
    let fourth = "text_model.encoder.layers.3.layer_norm1.weight"
    let unused = #expect(throws: CheckpointError.self) {
      _ = try encoder("quick") { $0.contains("position_ids") ? fourth : $0 }
    }
    #expect(unused?.code == .unusedTensors)
    #expect(unused?.key == fourth)
  }

  @Test func tokenizersThatDoNotFitAreRefused() throws {
    let (long, short) = (try encoder("quick"), try encoder("exact"))
    let small = try TextFixtures.tokenizer("small")
    try long.checkFits(small)
    let positions = #expect(throws: CheckpointError.self) { try short.checkFits(small) }
    #expect(positions?.message.contains("77") == true)
    let clip = try TextFixtures.tokenizer("sd1")
    let ids = #expect(throws: CheckpointError.self) { try long.checkFits(clip) }
    #expect(ids?.message.contains("49407") == true)
    let added = try TextFixtures.tokenizer("declared")
    #expect(throws: CheckpointError.self) { try long.checkFits(added) }
  }
}
