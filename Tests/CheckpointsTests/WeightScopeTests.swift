import Checkpoints
import TensorCore
import TestSupport
import Testing

@Suite struct WeightScopeTests {
  private let source = DictionarySource(
    [
      "conv.weight": Tensor.zeros([2, 3, 1, 1]), "conv.bias": Tensor([1, 2], shape: [2]),
      "mid.query.weight": Tensor.zeros([4, 4]), "mid.query.bias": Tensor.zeros([4]),
      "mid.queryx": Tensor.zeros([1]), "mid.to_out.0.weight": Tensor.zeros([4, 4, 1, 1]),
      "position_ids": Tensor.zeros([1, 77]),
    ], name: "test")

  @Test func layersReadTheirKeysAndShapesAreChecked() throws {
    let scope = WeightScope(source)
    #expect(try (scope / "conv").tensor("bias", [2]).values == [1, 2])
    #expect(try (scope / "mid" / "to_out" / 0).tensor("weight", [4, 4, 1, 1]).count == 16)
    let misshapen = try refusal { try (scope / "conv").tensor("bias", [3]) }
    #expect(misshapen.code == .wrongShape && misshapen.key == "conv.bias")
    #expect(misshapen.message.hasPrefix("found shape [2], expected [3]"))
    let missing = try refusal { try (scope / "conv").tensor("scale", [2]) }
    #expect(missing.code == .missingTensor && missing.key == "conv.scale")
    #expect((scope / "conv").shape("weight") == [2, 3, 1, 1])
    #expect((scope / "conv").contains("bias") && !(scope / "con").contains("bias"))
  }

  @Test func theFirstPresentNameIsATensorOrAPart() {
    let mid = WeightScope(source) / "mid"
    #expect(mid.firstPresent(["to_q", "query"]) == "query")
    #expect(mid.firstPresent(["to_out.0", "proj_attn"]) == "to_out.0")
    #expect(mid.firstPresent(["queryx"]) == "queryx")
    #expect(mid.firstPresent(["quer", "to"]) == nil)
    #expect(mid.firstPresent([]) == nil)
    #expect(mid.part(named: ["to_q", "query"]).path == "mid.query")
    #expect(mid.part(named: ["to_k", "key"]).path == "mid.to_k")
    #expect(WeightScope(source).firstPresent(["mi", "conv"]) == "conv")
    #expect(WeightScope(source).firstPresent(["zz"]) == nil)
  }

  @Test func matricesMayBeStoredAsConvolutions() throws {
    let scope = WeightScope(source)
    #expect(try (scope / "conv").matrix("weight", 2, 3).shape == [2, 3])
    #expect(try (scope / "mid.query").matrix("weight", 4, 4).shape == [4, 4])
    #expect(try refusal { try (scope / "conv").matrix("weight", 3, 2) }.code == .wrongShape)
    #expect(try refusal { try (scope / "conv").matrix("none", 3, 2) }.code == .missingTensor)
  }

  @Test func leftoversAreRefusedUnlessIgnored() throws {
    let scope = WeightScope(source)
    _ = try (scope / "conv").tensor("bias", [2])
    _ = try (scope / "conv").tensor("weight", [2, 3, 1, 1])
    try (scope / "conv").checkEverythingUsed()
    let error = try refusal { try scope.checkEverythingUsed() }
    #expect(error.code == .unusedTensors && error.key == "mid.query.bias")
    #expect(error.message.hasPrefix("5 tensor(s) have no place"))
    scope.ignore("position_ids")
    scope.ignore("not.there")
    #expect(scope.unusedKeys.count == 4 && !scope.unusedKeys.contains("position_ids"))
  }

  @Test func tensorsInMemoryAreCheckedToo() throws {
    let bad = DictionarySource(["w": Tensor([0, .nan], shape: [2])])
    let error = try refusal { try bad.tensor("w") }
    #expect(error.code == .notFinite && error.message.hasPrefix("element 1 of 2 is NaN"))
    #expect(try refusal { try bad.tensor("v") }.code == .missingTensor)
    #expect(bad.keys == ["w"] && bad.parameterCount == 2)
  }
}

@Suite struct WeightAuditTests {
  /// What a model initialiser does.
  private func build(_ weights: WeightScope) throws {
    _ = try (weights / "a").tensor("weight", [2, 3])
    _ = try (weights / "a").tensor("bias", [2])
    _ = try (weights / "b").tensor("weight", [2, 2])
    _ = try (weights / "c").matrix("weight", 2, 2)
    weights.ignore("ids")
    try weights.checkEverythingUsed()
  }

  @Test func everythingThatDoesNotFitIsListed() throws {
    let folder = try TemporaryFolder()
    var writer = SafetensorsWriter()
    writer.add("a.weight", Tensor.zeros([3, 2]))
    writer.add("b.weight", integers: [1, 2, 3, 4], shape: [2, 2])
    writer.add("c.weight", Tensor.zeros([2, 2, 1, 1]))
    writer.add("ids", integers: [1], shape: [1])
    writer.add("extra", Tensor.zeros([1]), as: .float16)
    try writer.write(to: folder["m"])
    let audit = WeightAudit(try SafetensorsFile(path: folder["m"]))
    #expect(audit.scope.isAudit)
    try build(audit.scope)
    let report = audit.report
    typealias Finding = WeightReport.Finding
    #expect(!report.fits && report.expectedCount == 4)
    #expect(report.missing.map(\.key) == ["a.bias"] && report.missing[0].expected == [2])
    #expect(report.misshapen.map(\.key) == ["a.weight"])
    #expect(report.misshapen[0].found == TensorRecord(type: .float32, shape: [3, 2]))
    #expect(report.misshapen[0].expected == [2, 3])
    #expect(report.wrongType.map(\.key) == ["b.weight"])
    #expect(report.unexpected.map(\.key) == ["extra"])
    #expect(report.unexpected[0].found?.type == .float16)
  }

  @Test func aFittingCheckpointHasNothingToReportAndIsNotRead() throws {
    // NaN would be refused if it were read.
    let source = DictionarySource([
      "a.weight": Tensor(repeating: .nan, shape: [2, 3]), "a.bias": Tensor.zeros([2]),
      "b.weight": Tensor.zeros([2, 2]), "c.weight": Tensor.zeros([2, 2]), "ids": Tensor.zeros([1]),
    ])
    let audit = WeightAudit(source)
    try build(audit.scope)
    #expect(audit.report.fits && audit.report.expectedCount == 4)
    #expect(try (audit.scope / "a").tensor("weight", [2, 3]).values == [0, 0, 0, 0, 0, 0])
  }

  @Test func allTensorsOfAnAuditShareOneBlock() throws {
    let keys = (0..<200).map { "w\($0)" }
    let block = Tensor.zeros([1 << 20])
    let audit = WeightAudit(
      DictionarySource(Dictionary(uniqueKeysWithValues: keys.map { ($0, block) })))
    var addresses = Set<UInt>()
    for key in keys {
      let tensor = try audit.scope.tensor(key, [1 << 10, 1 << 10])
      addresses.insert(tensor.withUnsafeBuffer { UInt(bitPattern: $0.baseAddress) })
    }
    #expect(addresses.count == 1)
    #expect(audit.report.misshapen.count == 200)
  }

  @Test func absurdShapesFromAConfigurationStopTheAudit() throws {
    let audit = WeightAudit(DictionarySource(["w": Tensor.zeros([1])]))
    for shape in [[1 << 40], [1 << 40, 1 << 40], [-1], [1 << 14, 1 << 15]] {
      let error = try refusal { try audit.scope.tensor("w", shape) }
      #expect(error.code == .wrongShape && error.message.contains("found [1]"))
    }
  }
}
