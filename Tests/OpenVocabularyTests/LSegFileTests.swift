import Checkpoints
import Foundation
import OpenVocabulary
import TensorCore
import TestSupport
import Testing

@Suite("Files of LSeg")
struct LSegFileTests {
  private static let block = "scratch.head_block.depthwise.depthwise"
  private let small: FormulaWeights

  init() throws {
    small = try FormulaWeights(
      of: "resnet", notedIn: Fixture("openvocabulary/lseg-small.safetensors"), seed: 3)
  }

  /// The tensors of a small network without a head block, changed.
  private func tensors(
    behind prefix: String = "net.", _ change: (inout [String: Tensor]) -> Void = { _ in }
  ) throws -> [String: Tensor] {
    var tensors = try small.tensors(behind: prefix).filter { !$0.key.contains("head_block") }
    change(&tensors)
    return tensors
  }

  private func features(_ source: any WeightSource) throws -> [Float] {
    let image = Formula.tensor("image", [1, 32, 64, 3], .input, seed: 1)
    return try LSegFile(source).network().pixelFeatures(image).values
  }

  private func refusal(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func everyContainerGivesTheSameNetwork() throws {
    let expected = try features(DictionarySource(try tensors()))
    #expect(try features(DictionarySource(try tensors(behind: ""))) == expected)
    let folder = try TemporaryFolder()
    var writer = SafetensorsWriter()
    for (key, tensor) in try tensors() { writer.add(key, tensor) }
    try writer.write(to: folder["small.safetensors"])
    #expect(try features(WeightFile.open(folder["small.safetensors"])) == expected)
    let path = try folder.write(lightning(try tensors()), to: "small.ckpt")
    #expect(try features(WeightFile.open(path)) == expected)
    let file = try LSegFile(path: path)
    #expect(file.skipped.contains("epoch") && file.skipped.contains("callbacks"))
  }

  /// A checkpoint as Lightning writes it: the tensors under `state_dict`, and more beside them.
  private func lightning(_ tensors: [String: Tensor]) -> [UInt8] {
    var storages: [(String, [UInt8])] = []
    var members: [(String, [UInt8])] = []
    for (number, (key, tensor)) in tensors.sorted(by: { $0.key < $1.key }).enumerated() {
      var strides: [Int] = []
      for axis in tensor.shape.indices {
        strides.append(tensor.shape[(axis + 1)...].reduce(1, *))
      }
      let bytes = tensor.values.flatMap { value in
        withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
      }
      storages.append(("x/data/\(number)", bytes))
      let storage = Pickled.storage("\(number)", count: tensor.count)
      members.append((key, Pickled.tensor(storage, shape: tensor.shape, strides: strides)))
    }
    let top = Pickled.dictionary([
      ("epoch", Pickled.integer(199)), ("state_dict", Pickled.dictionary(members)),
      ("callbacks", Pickled.dictionary([])),
    ])
    return zipArchive([("x/data.pkl", Pickled.proto + top + Pickled.stop)] + storages)
  }

  @Test func halvesAreWidened() throws {
    let folder = try TemporaryFolder()
    var writer = SafetensorsWriter()
    let tensors = try tensors()
    for (key, tensor) in tensors { writer.add(key, tensor, as: .float16) }
    try writer.write(to: folder["half.safetensors"])
    let rounded = DictionarySource(
      tensors.mapValues { tensor in tensor.mapped { Float(Float16($0)) } })
    #expect(
      try features(WeightFile.open(folder["half.safetensors"])) == features(rounded))
  }

  @Test func deadKeysAreListedAndStraysRefused() throws {
    let dead = [
      "net.clip_pretrained.logit_scale", "net.clip_pretrained.visual.proj",
      "net.pretrained.model.norm.weight", "criterion.weight",
    ]
    let file = try LSegFile(
      DictionarySource(try tensors { all in for key in dead { all[key] = .zeros([1]) } }))
    #expect(dead.allSatisfy(file.skipped.contains))
    #expect(file.skipped.contains { $0.hasPrefix("net.scratch.refinenet4.resConfUnit1.") })
    #expect(file.skipped.contains("net.pretrained.layer1.1.num_batches_tracked"))
    _ = try file.network()
    #expect(!file.hasTextTower)
    let report = try file.report()
    #expect(report.audit.fits && report.architecture == .lseg && report.notices.count == 1)
    let stray = "net.scratch.refinenet5.out_conv.weight"
    let other = try LSegFile(DictionarySource(try tensors { $0[stray] = .zeros([1]) }))
    #expect(refusal { _ = try other.network() }.contains(stray))
    #expect(try other.report().audit.unexpected.map(\.key) == [stray])
  }

  @Test func whatIsMissingOrMisshapenIsNamed() throws {
    let (missing, misshapen) = ("net.scratch.head1.bias", "net.pretrained.layer3.0.bn2.weight")
    let file = try LSegFile(
      DictionarySource(
        try tensors {
          $0[missing] = nil
          $0[misshapen] = .zeros([3])
        }))
    let message = refusal { _ = try file.network() }
    #expect(message.contains("1 missing: \(missing)"))
    #expect(message.contains("1 misshapen: \(misshapen) [3] instead of [8]"))
    let report = try file.report()
    #expect(report.audit.missing.map(\.key) == [missing])
    #expect(report.audit.misshapen.map(\.key) == [misshapen])
    let words = refusal { _ = try file.textTower() }
    #expect(words.contains("net.clip_pretrained.token_embedding.weight"))
    let negative = try LSegFile(
      DictionarySource(
        try tensors { $0["net.pretrained.layer1.1.running_var"] = .init(repeating: -1, shape: [8]) }
      ))
    #expect(refusal { _ = try negative.network() }.contains("expected variances from 0"))
  }

  @Test func whatIsNoLSegIsRefusedByName() throws {
    let sed = DictionarySource([
      "sem_seg_head.predictor.clip_model.visual.trunk.stem.0.weight": .zeros([1]),
      "sem_seg_head.predictor.transformer.decoder1.up.bias": .zeros([1]),
    ])
    #expect(
      refusal { _ = try LSegFile(sed) }.contains("is a checkpoint of SED, expected one of LSeg"))
    let other = DictionarySource(["conv_in.weight": .zeros([1])])
    #expect(refusal { _ = try LSegFile(other) }.contains("expected one of LSeg"))
    let broken = try LSegFileTests().tensors { $0["net.scratch.layer2_rn.weight"] = .zeros([0]) }
    #expect(refusal { _ = try LSegFile(DictionarySource(broken)) }.contains("expected 4 axes"))
  }

  @Test func sizesThatTheFileCannotHaveAreRefused() throws {
    // One block far out, or one wide convolution, would ask for memory that no tensor of the file stands for.
    for (key, shape) in [
      ("net.pretrained.layer2.100.conv1.weight", [6, 24, 1, 1]),
      ("net.pretrained.layer4.0.conv1.weight", [60_000, 1, 1, 1]),
      ("net.scratch.head1.weight", [1, 60_000, 1, 1]),
    ] {
      let source = DictionarySource(try tensors { $0[key] = .zeros(shape) })
      let isRefused = refusal { _ = try LSegFile(source).report() }.contains("imply")
      // A hundred blocks of six channels are small: they are missing, not too many.
      #expect(isRefused == (shape != [6, 24, 1, 1]), "\(key)")
    }
  }

  @Test func headBlocksMustBeNamed() throws {
    let file = try LSegFile(small)
    #expect(refusal { _ = try file.network() }.contains("does not say of which kind"))
    #expect(try file.network(head: LSegHead.none).head == .none)
    #expect(try file.network(head: LSegHead(.bottleneck, depth: 2)).head.depth == 2)
    let without = try LSegFile(DictionarySource(try tensors()))
    #expect(
      refusal { _ = try without.network(head: LSegHead(.depthwise)) }.contains(Self.block))
  }

  @Test func thePublishedSizesAreRecognised() throws {
    let file = try LSegFile(PublishedLSeg.weights(seed: 1))
    #expect(file.configuration.backbone == .clipViTL16 && file.hasTextTower)
    #expect(file.configuration.features == 256 && file.configuration.featureWidth == 512)
    #expect(file.configuration.backbone.pixelMean == [0.5, 0.5, 0.5])
  }
}
