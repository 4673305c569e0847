import Checkpoints
import OpenVocabulary
import TensorCore
import TestSupport
import Testing
import TextConditioning

/// LSeg with the image encoders of which there are no golden outputs, and the text tower, at small sizes, against timm,
/// torchvision and open_clip (Tests/Fixtures/openvocabulary/generate_lseg.py).
@Suite struct SmallLSegTests {
  private static let seed: UInt64 = 3
  private let fixture: Fixture

  init() throws { fixture = try Fixture("openvocabulary/lseg-small.safetensors") }

  private func file(_ network: String) throws -> LSegFile {
    try LSegFile(FormulaWeights(of: network, notedIn: fixture, seed: Self.seed))
  }

  private var image: Tensor {
    Formula.tensor("image", [2, 3, 64, 160], .input, seed: Self.seed).channelsLast()
  }

  private var text: Tensor { Formula.tensor("text", [3, 24], .input, seed: Self.seed) }

  @Test(arguments: [("vitb32", "clip_vitb32_384"), ("resnet", "clip_resnet101")])
  func otherEncodersAgree(network: String, backbone: String) throws {
    let golden = Golden(fixture, "\(network).")
    let file = try file(network)
    #expect(file.configuration.backbone.rawValue == backbone && file.configuration.hasHeadBlock)
    let heads: [(String, LSegHead)] = [
      ("plain", .none), ("bottleneck", LSegHead(.bottleneck, depth: 3, activation: .relu)),
      ("depthwise", LSegHead(.depthwise, depth: 1, activation: .relu)),
    ]
    let plain = try file.network(head: LSegHead.none)
    let features = plain.pixelFeatures(image)
    try golden.expect(features, "features", within: 1e-4)
    for (name, head) in heads {
      let logits = try file.network(plain, head: head).logits(features, LSegLabels(text))
      try golden.expect(logits, name, within: 1e-3)
    }
  }

  @Test(arguments: [("gelu", false), ("quick", true)])
  func textTowerAgreesWithOpenCLIP(name: String, isQuick: Bool) throws {
    let source = try FormulaWeights(of: "text", notedIn: fixture, seed: Self.seed)
    let tower = try CLIPTextTower(source, prefix: "", activation: isQuick ? .quickGELU : .gelu)
    let stored = try fixture.integers("text.ids")
    let ids = (0..<3).map { Array(stored[$0 * 9..<$0 * 9 + 9]) }
    let features = tower(ids)
    let expected = try fixture.tensor("text.\(name)")
    #expect(Difference(features, expected).keeps(withinDeviation: 1e-4, "text.\(name)"))
    // A sentence's feature is the same alone, among others, and whatever stands behind its end.
    for row in 0..<3 {
      #expect(tower([ids[row]]).values == features.rows(row..<row + 1).values)
    }
    var other = ids[0]
    other[5] = 17
    #expect(tower([other]).values == features.rows(0..<1).values)
  }

  @Test(arguments: [LSegHead.none, LSegHead(.bottleneck, depth: 2), LSegHead(.depthwise, depth: 3)])
  func bandsAreTheWholeMap(head: LSegHead) throws {
    let network = try file("vitb32").network(head: head)
    let features = network.pixelFeatures(image).rows(0..<1)
    // So many labels that a band is some rows only.
    let count = 3000
    let labels = LSegLabels(Formula.tensor("many", [count, 24], .input, seed: 5))
    var bands: [Range<Int>] = []
    var rows: [Tensor] = []
    network.forEachBand(features, labels, height: 50, width: 70) { range, band in
      bands.append(range)
      rows.append(band)
    }
    #expect(bands.count > 2 && bands.first?.lowerBound == 0 && bands.last?.upperBound == 50)
    #expect(zip(bands, bands.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    let found = joinedRows(rows)
    let whole = network.logits(features, labels)
    let resized = bilinearResized(whole, height: 50, width: 70, alignsCorners: true)
    #expect(found.shape == [50, 70, count])
    #expect(found.values == resized.values)
  }

  @Test func picturesAndLabelsDoNotDependOnTheirNeighbours() throws {
    let network = try file("resnet").network(head: LSegHead(.depthwise, depth: 2))
    let logits = network.logits(image, text: text)
    for sample in 0..<2 {
      let alone = network.logits(image.rows(sample..<sample + 1), text: text)
      #expect(alone.values == logits.rows(sample..<sample + 1).values)
    }
    let order = [2, 0, 1]
    let turned = network.logits(image, text: gatheredRows(text, order))
    for (place, label) in order.enumerated() {
      #expect(turned.columns(place..<place + 1).values == logits.columns(label..<label + 1).values)
    }
    // The length of a label's feature does not matter.
    #expect(network.logits(image, text: 4 * text).values == logits.values)
  }
}
