import CanonicalJSON
import Checkpoints
import Foundation
import OpenVocabulary
import TensorCore
import TestSupport
import Testing

/// `triptych segment --input-tensor`, beside the library on the same tensors.
@Suite struct SegmentTensorTests {
  private static let labels = 4

  /// Writes an input; its path.
  private func input(
    _ folder: String, _ architecture: TinySegmenter, batch: Int = 1, tokens: Bool = false
  ) throws -> String {
    var random = SeededGenerator(seed: 5)
    var writer = SafetensorsWriter()
    writer.add("image", random.tensor([batch, 3, 64, 96]))
    let templates = architecture == .sed ? TinySegmenter.templates : 1
    if tokens {
      let ids = (0..<Self.labels * templates).flatMap { row -> [Int64] in
        [797, Int64(20 + row), Int64(300 + 7 * row), 798] + [Int64](repeating: 0, count: 73)
      }
      let shape = architecture == .sed ? [Self.labels, templates, 77] : [Self.labels, 77]
      writer.add("tokens", integers: ids, shape: shape)
    } else {
      let raw = random.tensor([Self.labels, templates, TinySegmenter.featureWidth])
      writer.add("embeddings", unitVectors(raw))
    }
    let path = folder + "/input.safetensors"
    try writer.write(to: path)
    return path
  }

  private func run(
    _ here: Segmenting, _ input: String, _ more: [String] = []
  ) async throws -> Program.Outcome {
    try await Program.run(
      [
        "segment", "--model", here.model, "--input-tensor", input, "--save-logits",
        here.folder + "/logits.safetensors", "--precision", "exact", "--json",
      ] + more)
  }

  private func saved(_ here: Segmenting, _ key: String = "logits") throws -> Tensor {
    try SafetensorsFile(path: here.folder + "/logits.safetensors").tensor(key)
  }

  private func embeddings(_ path: String) throws -> Tensor {
    try SafetensorsFile(path: path).tensor("embeddings")
  }

  private func image(_ path: String) throws -> Tensor {
    try SafetensorsFile(path: path).tensor("image").channelsLast()
  }

  @Test func logitsOfLSegAreTheLibrarys() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      let input = try input(folder, .lseg, batch: 2)
      let result = try here.result(try await run(here, input, ["--architecture", "lseg"]))
      #expect(result["logits"] == [2, 4, 64, 96])
      let network = try Precision.exact.scoped { try LSegFile(path: here.model).network() }
      let text = try embeddings(input).reshaped([4, TinySegmenter.featureWidth])
      let expected = network.logits(try image(input), text: text).channelsFirst()
      #expect(Difference(try saved(here), expected).keeps(within: .layer, "LSeg's logits"))
    }
  }

  @Test func logitsOfSEDAreTheLibrarysWithAndWithoutRejection() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .sed)
      let input = try input(folder, .sed)
      let network = try Precision.exact.scoped { try SEDFile(path: here.model).network() }
      let (picture, classes) = (try image(input), try embeddings(input))
      #expect(try here.result(try await run(here, input))["logits"] == [1, 4, 16, 24])
      let expected = try network(picture, classes: classes).logits.channelsFirst()
      #expect(Difference(try saved(here), expected).keeps(within: .layer, "SED's logits"))
      #expect(try SafetensorsFile(path: folder + "/logits.safetensors").keys == ["logits"])
      let pooled = try await run(here, input, ["--class-pooling", "2"])
      #expect(pooled.code == 0)
      #expect(
        Difference(
          try saved(here),
          try network(picture, classes: classes, SEDOptions(pooling: 2)).logits.channelsFirst()
        ).keeps(within: .layer, "SED's logits, pooled"))
      let outcome = try await run(here, input, ["--early-rejection", "1"])
      let stages = try here.result(outcome)["evaluated_classes"]
      let rejecting = try network(picture, classes: classes, SEDOptions(rejection: 1))
      #expect(stages?.elements?.compactMap(\.integer) == rejecting.evaluatedClasses)
      let file = try SafetensorsFile(path: folder + "/logits.safetensors")
      #expect(file.record("survivors") == TensorRecord(type: .uint8, shape: [3, 4]))
      #expect(
        try file.integers("survivors") == rejecting.survivors.flatMap { $0.map { $0 ? 1 : 0 } })
      #expect(
        Difference(
          try saved(here, "probabilities"), rejecting.probabilities().channelsFirst()
        ).keeps(within: .layer, "SED's probabilities"))
    }
  }

  @Test(arguments: TinySegmenter.allCases)
  func tokensAreEncodedByTheFilesTower(_ architecture: TinySegmenter) async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, architecture)
      let input = try input(folder, architecture, tokens: true)
      #expect(try await run(here, input).code == 0)
      let found = try saved(here)
      let file = try SafetensorsFile(path: input)
      let ids = try file.integers("tokens").map { Int($0) }
      let model = try Precision.exact.scoped { try SegmenterModel(path: here.model) }
      let tower = try Precision.exact.scoped { try model.textTower() }
      let sentences = stride(from: 0, to: ids.count, by: 77).map { Array(ids[$0..<$0 + 77]) }
      let features = unitVectors(tower(sentences)).reshaped(
        [4, ids.count / 77 / 4, TinySegmenter.featureWidth])
      let network = try Precision.exact.scoped { try model.network() }
      let expected = try SegmenterTensors(
        network, image: try image(input), classes: features, settings: SegmenterSettings())
      #expect(
        Difference(found, expected.logits.channelsFirst()).keeps(within: .layer, "from tokens"))
    }
  }

  @Test func headBlocksAreChosenByFlagsAndLeftOutWithANote() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .lseg)
      let input = try input(folder, .lseg)
      #expect(try await run(here, input).code == 0)
      let plain = try saved(here).values
      try TinySegmenter.lseg.write(to: here.model, headBlock: true)
      let without = try await run(here, input)
      #expect(without.code == 0 && without.error.contains("head block"))
      #expect(try saved(here).values == plain)
      var seen = [plain]
      for flags in [
        ["bottleneck", "--block-depth", "2"], ["depthwise", "--block-depth", "2"],
        ["depthwise", "--block-depth", "2", "--block-activation", "tanh"], ["depthwise"],
      ] {
        let outcome = try await run(here, input, ["--head-block"] + flags)
        #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
        let values = try saved(here).values
        #expect(!seen.contains(values))
        seen.append(values)
      }
    }
  }

  @Test func tensorsThatDoNotFitAreRefusedByName() async throws {
    try await withFolder { folder in
      let here = try Segmenting(folder, .sed)
      func refusal(_ part: String, _ code: Int32 = 65, _ change: (inout SafetensorsWriter) -> Void)
        async throws
      {
        var writer = SafetensorsWriter()
        change(&writer)
        try writer.write(to: folder + "/bad.safetensors")
        expectRefusal(
          try await run(here, folder + "/bad.safetensors"), code: code, saying: part)
      }
      let classes = Tensor(repeating: 0.1, shape: [2, 3, 32])
      let image = Tensor.zeros([1, 3, 32, 32])
      try await refusal("image") { $0.add("embeddings", classes) }
      try await refusal("multiples of 32") {
        $0.add("image", Tensor.zeros([1, 3, 40, 32]))
        $0.add("embeddings", classes)
      }
      try await refusal("neither tokens nor embeddings") { $0.add("image", image) }
      try await refusal("expected [classes, 3, 32]") {
        $0.add("image", image)
        $0.add("embeddings", Tensor.zeros([2, 4, 32]))
      }
      try await refusal("stray") {
        $0.add("image", image)
        $0.add("stray", classes)
      }
      try await refusal("found the id 799") {
        $0.add("image", image)
        $0.add("tokens", integers: [Int64](repeating: 799, count: 77 * 3), shape: [1, 3, 77])
      }
      let input = try input(folder, .sed, batch: 2)
      expectRefusal(
        try await run(here, input, ["--early-rejection", "1"]), code: 64,
        saying: "one picture at a time")
      expectRefusal(
        try await run(here, input, ["--architecture", "lseg"]), code: 65, saying: "SED")
      expectRefusal(
        try await run(here, input, ["--head-block", "depthwise"]), code: 64, saying: "LSeg's")
    }
  }
}
