import Checkpoints
import Foundation
import OpenVocabulary
import TensorCore
import TestSupport
import Testing

/// SED against the published code, on tensors made by formula (Tests/Fixtures/openvocabulary/cut_sed.py).
///
/// `TRIPTYCH_SED_GOLDENS`, the whole file that the fixtures are cut from, adds its second seed.
@Suite(.serialized) struct PublishedSEDTests {
  private static let goldens = ProcessInfo.processInfo.environment["TRIPTYCH_SED_GOLDENS"]
  static let seeds: [UInt64] = goldens == nil ? [1] : [1, 2]

  private static func golden(_ name: String, _ seed: UInt64) throws -> Golden {
    let fixture =
      try goldens.map { try Fixture(file: URL(fileURLWithPath: $0), name: "sed") }
      ?? Fixture("openvocabulary/sed-\(name).safetensors")
    return Golden(fixture, "seed\(seed).")
  }

  @Test(arguments: seeds)
  func theNetworkAgreesWithThePublishedCode(seed: UInt64) throws {
    let golden = try Self.golden("trunk", seed)
    let file = try SEDFile(PublishedSED.base.weights(seed: seed))
    #expect(file.configuration.variant == .base)
    let network = try file.network()
    let shape = seed == 1 ? [1, 3, 192, 192] : [2, 3, 128, 256]
    let image = Formula.tensor("input.image", shape, .input, seed: seed).channelsLast()
    let features = try network.features(image)
    for (index, map) in features.maps.enumerated() {
      try golden.expect(map, "res\(2 + index)", within: 1e-4)
    }
    try golden.expect(features.dense, "clip_vis_dense", within: 1e-4)
    let classes = PublishedSED.base.classes(
      "text.embeddings", count: seed == 1 ? 5 : 7, seed: seed)
    let prediction = try network.decode(
      features, classes: classes, SEDOptions(auxiliaryLogits: true))
    for (index, logits) in prediction.auxiliaryLogits.enumerated() {
      try golden.expect(logits, "aux\(index)", within: 1e-4)
    }
    try golden.expect(prediction.logits, "logits", within: 1e-3)
    #expect(prediction.evaluatedClasses == [Int](repeating: classes.shape[0], count: 3))
    let pooled = try network.decode(features, classes: classes, SEDOptions(pooling: 2))
    try golden.expect(pooled.logits, "pool2.logits", within: 1e-3)
    #expect(pooled.auxiliaryLogits.isEmpty)
    try Self.expectCosines(features, classes, golden, seed)
  }

  /// Cosines of positions with sentences, by hand from the features.
  private static func expectCosines(
    _ features: SEDFeatures, _ classes: Tensor, _ golden: Golden, _ seed: UInt64
  ) throws {
    let key = "seed\(seed).cost_map_every_5th"
    let shape = try golden.fixture.shape(key)
    let area = shape[3] * shape[4]
    let (x, y, d) = (unitVectors(features.dense).values, classes.values, 640)
    let found = Tensor(
      (0..<shape.reduce(1, *)).map { index in
        let (place, label) = (index % area, index / area % shape[2])
        let template = index / area / shape[2] % shape[1] * 5
        let picture = index / area / shape[2] / shape[1]
        return (0..<d).reduce(Float(0)) {
          $0 + x[(picture * area + place) * d + $1] * y[(label * 80 + template) * d + $1]
        }
      }, shape: shape)
    let difference = Difference(found, try golden.fixture.tensor(key))
    #expect(difference.keeps(withinDeviation: 1e-4, key))
  }

  @Test(arguments: seeds)
  func rejectionAgreesWithThePublishedCode(seed: UInt64) throws {
    let golden = try Self.golden("rejection", seed)
    let whole = try Self.golden("text", seed)
    func map(_ name: String) throws -> Tensor {
      try (name == "res2" ? whole : golden).fixture.map("seed\(seed).cer.\(name)")
    }
    let features = SEDFeatures(
      maps: [try map("res2"), try map("res3"), try map("res4")], dense: try map("clip_vis_dense"))
    let network = try SEDFile(PublishedSED.base.weights(seed: seed)).network()
    let classes = PublishedSED.base.classes(
      "cer.text.\(seed == 1 ? 695 : 40)", count: 16, seed: seed)
    let full = try network.decode(features, classes: classes)
    try golden.expect(full.logits, "cer.full.logits", within: 1e-3)
    for (name, rejection) in [("top1", 1), ("top2", 2), ("given", nil)] {
      let alive = try golden.fixture.integers("seed\(seed).cer.\(name).alive")
      let rows = (0..<3).map { Array(alive[$0 * 16..<($0 + 1) * 16]) }
      var options = SEDOptions(rejection: rejection)
      if rejection == nil {
        options.dictatedSurvivors = rows.map { row in row.indices.filter { row[$0] == 1 } }
      }
      let prediction = try network.decode(features, classes: classes, options)
      #expect(prediction.survivors == rows.map { $0.map { $0 == 1 } })
      #expect(prediction.evaluatedClasses == rows.map { $0.reduce(0, +) })
      let probabilities = prediction.probabilities()
      try golden.expect(probabilities, "cer.\(name).probabilities", within: 1e-3)
      let rejected = rows[2].indices.filter { rows[2][$0] == 0 }
      #expect(!rejected.isEmpty)
      let values = probabilities.values
      #expect(
        rejected.allSatisfy { label in
          stride(from: label, to: values.count, by: 16).allSatisfy { values[$0] == 0 }
        })
      // No class depends on how classes are cut.
      options.classChunk = 3
      let cut = try network.decode(features, classes: classes, options)
      #expect(cut.logits.values == prediction.logits.values)
    }
  }

  @Test(arguments: seeds)
  func sentencesAgreeWithThePublishedCode(seed: UInt64) throws {
    let golden = try Self.golden("text", seed)
    let file = try SEDFile(PublishedSED.base.weights(seed: seed, text: true))
    let ids = Formula.tokens("text.tokens", count: 6, seed: seed)
    #expect(try golden.fixture.integers("seed\(seed).text.tokens") == ids.flatMap { $0 })
    let features = try file.textTower()(ids)
    try golden.expect(features, "text.prompt_features", within: 1e-4)
    let classes = ClassText.classEmbeddings(features, synonyms: [2, 1], templates: 2)
    let key = "seed\(seed).text.class_embeddings"
    let difference = Difference(classes, try golden.fixture.tensor(key))
    #expect(difference.keeps(withinDeviation: 1e-4, key))
  }
}
