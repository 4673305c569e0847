import Foundation
import OpenVocabulary
import TensorCore
import TestSupport
import Testing

/// LSeg against the published code, on tensors made by formula (Tests/Fixtures/openvocabulary/cut_lseg.py).
@Suite(.serialized) struct PublishedLSegTests {
  private static let shapes: [UInt64: [Int]] = [1: [1, 3, 96, 128], 2: [1, 3, 64, 416]]
  private static let heads: [(name: String, head: LSegHead)] = [
    ("plain", .none), ("bottleneck", LSegHead(.bottleneck, depth: 2)),
    ("depthwise", LSegHead(.depthwise, depth: 2)),
    ("bottleneck_tanh", LSegHead(.bottleneck, depth: 2, activation: .tanh)),
    ("depthwise_tanh", LSegHead(.depthwise, depth: 2, activation: .tanh)),
  ]

  @Test(arguments: [1, 2] as [UInt64])
  func wholeNetworkAgreesWithThePublishedCode(seed: UInt64) throws {
    let golden = Golden(
      try Fixture("openvocabulary/lseg-\(seed).safetensors"), "seed\(seed).")
    let file = try LSegFile(PublishedLSeg.weights(seed: seed))
    let rows = try golden.fixture.shape("seed\(seed).text.tokens")[0]
    let ids = Formula.tokens("text.tokens", count: rows, seed: seed)
    #expect(try golden.fixture.integers("seed\(seed).text.tokens") == ids.flatMap { $0 })
    let text = try file.textTower()(ids)
    try golden.expect(text, "text_features", within: 1e-4)
    let shape = try #require(Self.shapes[seed])
    let image = Formula.tensor("input.image", shape, .input, seed: seed).channelsLast()
    let plain = try file.network(head: LSegHead.none)
    var parts: [(String, Tensor)] = []
    let features = plain.pixelFeatures(image) { parts.append(($0, $1)) }
    for (part, value) in parts { try golden.expect(value, part, within: 1e-4) }
    let labels = LSegLabels(text)
    for (name, head) in Self.heads {
      let network = try file.network(plain, head: head)
      try golden.expect(network.logits(features, labels), "\(name).logits", within: 1e-3)
    }
  }
}

/// Outputs of the published code, of which every nth row and column, or token, may be kept.
struct Golden {
  let fixture: Fixture
  let prefix: String

  init(_ fixture: Fixture, _ prefix: String) {
    self.fixture = fixture
    self.prefix = prefix
  }

  /// Compares with what is kept of a part; a part of which nothing is kept passes.
  func expect(_ found: Tensor, _ part: String, within share: Float) throws {
    guard
      let key = fixture.keys.first(where: {
        $0 == prefix + part || $0.hasPrefix("\(prefix)\(part)_every_")
      })
    else { return }
    let step =
      key.components(separatedBy: "_every_").dropFirst().first.flatMap {
        Int($0.prefix { $0.isNumber })
      } ?? 1
    let expected = try fixture.tensor(key)
    let kept = found.rank == 4 ? found.channelsFirst() : found
    let thinned = kept.every(step, axes: found.rank == 4 ? [2, 3] : found.rank == 3 ? [1] : [])
    #expect(Difference(thinned, expected).keeps(withinDeviation: share, key), "\(key)")
  }
}

extension Tensor {
  /// Indices 0, n, 2n, … of some axes.
  func every(_ step: Int, axes: Set<Int>) -> Tensor {
    axes.reduce(self) { $0.every(step, axis: $1) }
  }

  private func every(_ step: Int, axis: Int) -> Tensor {
    let (length, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    let kept = (length + step - 1) / step
    var shape = shape
    shape[axis] = kept
    return withUnsafeBuffer { source in
      Tensor(shape: shape) { out in
        for index in 0..<out.count {
          let (row, rest) = (index / inner, index % inner)
          out[index] = source[(row / kept * length + row % kept * step) * inner + rest]
        }
      }
    }
  }
}
