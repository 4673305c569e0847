import Checkpoints
import Foundation
import OpenVocabulary
import TensorCore
import TestSupport
import Testing

@Suite("Files of SED")
struct SEDFileTests {
  private static let prefix = PublishedSED.prefix

  /// The tensors of a small SED, changed.
  private func tensors(
    hasPrefix: Bool = true, _ change: (inout [String: Tensor]) -> Void = { _ in }
  ) throws -> [String: Tensor] {
    let source = PublishedSED.small.weights(seed: 1, hasPrefix: hasPrefix)
    var tensors: [String: Tensor] = [:]
    for key in source.keys { tensors[key] = try source.tensor(key) }
    change(&tensors)
    return tensors
  }

  private func refusal(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func sizesAreReadFromShapes() throws {
    let small = try SEDFile(PublishedSED.small.weights(seed: 1)).configuration
    #expect(small.trunkWidths == [12, 20, 24, 40] && small.trunkDepths == [1, 2, 3, 1])
    #expect(small.featureWidth == 16 && small.projectionWidth == 40 && small.templates == 3)
    #expect(
      small.stages.map(\.outputs) == [16, 16, 16] && small.stages.map(\.kernel) == [9, 9, 9])
    #expect(small.variant == nil)
    #expect(try SEDFile(PublishedSED.base.weights(seed: 1)).configuration.variant == .base)
    #expect(try SEDFile(PublishedSED.large.weights(seed: 1)).configuration.variant == .large)
  }

  @Test func keysMayLackThePrefix() throws {
    let image = Formula.tensor("input.image", [1, 3, 32, 32], .input, seed: 1).channelsLast()
    let classes = PublishedSED.small.classes("classes", count: 2, seed: 1)
    let logits = try [true, false].map { hasPrefix in
      let file = try SEDFile(PublishedSED.small.weights(seed: 1, hasPrefix: hasPrefix))
      return try file.network()(image, classes: classes).logits.values
    }
    #expect(logits[0] == logits[1])
  }

  @Test func deadKeysAreListedAndStraysRefused() throws {
    let stray = Self.prefix + "transformer.decoder1.conv.double_conv.9.weight"
    let file = try SEDFile(
      DictionarySource(
        try tensors {
          $0["criterion.weight"] = .zeros([2])
          $0[Self.prefix + "clip_model.visual.trunk.stages.0.blocks.0.count.num_batches_tracked"] =
            .zeros([])
        }))
    #expect(
      file.skipped == [
        "criterion.weight", Self.prefix + "clip_model.logit_scale",
        Self.prefix + "clip_model.visual.trunk.stages.0.blocks.0.count.num_batches_tracked",
      ])
    _ = try file.network()
    let report = try file.report()
    #expect(report.audit.fits && report.architecture == .sed && report.notices.count == 1)
    let other = try SEDFile(DictionarySource(try tensors { $0[stray] = .zeros([1]) }))
    #expect(refusal { _ = try other.network() }.contains(stray))
    #expect(try other.report().audit.unexpected.map(\.key) == [stray])
  }

  @Test func whatIsMissingOrMisshapenIsNamed() throws {
    let (missing, misshapen) = ("transformer.decoder2.up.bias", "transformer.head1.weight")
    let block = "clip_model.visual.trunk.stages.2.blocks.1.norm.bias"
    let file = try SEDFile(
      DictionarySource(
        try tensors {
          $0[Self.prefix + missing] = nil
          $0[Self.prefix + block] = nil
          $0[Self.prefix + misshapen] = .zeros([1, 17, 3, 3])
        }))
    let message = refusal { _ = try file.network() }
    for part in [missing, block, misshapen, "2 missing", "1 misshapen", "[1, 17, 3, 3]"] {
      #expect(message.contains(part), "\(message)")
    }
    #expect(!message.contains("\n"))
    let audit = try file.report().audit
    #expect(audit.missing.count == 2 && audit.misshapen.count == 1)
    #expect(
      refusal {
        _ = try SEDFile(
          DictionarySource(try tensors { $0[Self.prefix + "transformer.conv1.weight"] = nil }))
      }.contains("transformer.conv1.weight"))
    #expect(
      refusal {
        _ = try SEDFile(
          DictionarySource(
            try tensors {
              $0[Self.prefix + "transformer.decoder1.cnext.dwconv.weight"] = .zeros([32, 1, 8, 8])
            }))
      }.contains("expected an odd number"))
  }

  @Test func aFileOfLSegIsRefusedByName() throws {
    let lseg = DictionarySource([
      "net.scratch.head1.weight": .zeros([2, 2, 1, 1]),
      "net.pretrained.model.cls_token": .zeros([1]),
    ])
    #expect(refusal { _ = try SEDFile(lseg) }.contains("LSeg"))
    #expect(refusal { _ = try SEDFile(DictionarySource(["weight": .zeros([1])])) }.contains("SED"))
  }

  @Test func aFileWithoutTextTowerSaysSoOnlyWhenWordsAreEncoded() throws {
    let file = try SEDFile(PublishedSED.small.weights(seed: 1))
    #expect(!file.hasTextTower)
    #expect(refusal { _ = try file.textTower()([[1, 2]]) }.contains("token_embedding.weight"))
  }

  @Test func halvesAreWidened() throws {
    let folder = try TemporaryFolder()
    let path = folder["sed.safetensors"]
    let stored = try tensors()
    var writer = SafetensorsWriter()
    for (key, tensor) in stored.sorted(by: { $0.key < $1.key }) {
      writer.add(key, tensor, as: .float16)
    }
    try writer.write(to: path)
    let file = try SEDFile(path: path)
    let image = Formula.tensor("input.image", [1, 3, 32, 32], .input, seed: 1).channelsLast()
    let classes = PublishedSED.small.classes("classes", count: 2, seed: 1)
    let found = try file.network()(image, classes: classes).logits
    let expected = try SEDFile(DictionarySource(stored)).network()(image, classes: classes).logits
    #expect(Difference(found, expected).ofRange < 0.05)
    #expect(found.values != expected.values)
  }

  @Test func aCheckpointOfDetectron2IsRead() throws {
    // Weights under `model`, the optimiser's state and the step beside it.
    let stored = try tensors()
    let keys = stored.keys.sorted()
    var entries: [(name: String, data: [UInt8])] = []
    let members = keys.enumerated().map { index, key in
      let values = stored[key]?.values ?? []
      let shape = stored[key]?.shape ?? []
      let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
      entries.append(
        (
          "sed/data/\(index)",
          values.flatMap { value in
            withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
          }
        ))
      return (
        key,
        Pickled.tensor(
          Pickled.storage("\(index)", count: values.count), shape: shape, strides: strides)
      )
    }
    let pickle = Pickled.dictionary([
      ("model", Pickled.dictionary(members)), ("iteration", Pickled.integer(79_999)),
    ])
    entries.insert(("sed/data.pkl", Pickled.proto + pickle + Pickled.stop), at: 0)
    let folder = try TemporaryFolder()
    let file = try SEDFile(path: try folder.write(zipArchive(entries), to: "model_final.pth"))
    #expect(file.skipped == ["iteration", Self.prefix + "clip_model.logit_scale"])
    let image = Formula.tensor("input.image", [1, 3, 32, 32], .input, seed: 1).channelsLast()
    let classes = PublishedSED.small.classes("classes", count: 2, seed: 1)
    let found = try file.network()(image, classes: classes).logits
    let expected = try SEDFile(DictionarySource(stored)).network()(image, classes: classes).logits
    #expect(found.values == expected.values)
    #expect(try SegmenterReport(WeightFile.open(folder["model_final.pth"]))?.architecture == .sed)
  }
}
