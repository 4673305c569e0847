import CanonicalJSON
import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

/// `triptych ground` from outside, on the small module of Tests/Fixtures/grounding.
@Suite struct GroundTests {
  private static func fixture(_ name: String) -> String {
    Fixture.folder.appendingPathComponent(name).path
  }

  private func ground(
    _ folder: String, grounding: String = fixture("grounding/ours.safetensors"),
    features: String = fixture("grounding/features.safetensors"), _ more: [String] = []
  ) async throws -> Program.Outcome {
    try await Program.run(
      [
        "ground", "--grounding", grounding, "--features", features, "--save-logits",
        folder + "/logits.safetensors", "--precision", "exact",
      ] + more)
  }

  /// The features, some of them changed, in a file of their own.
  private func changed(
    _ folder: String, _ change: (String, Tensor) -> Tensor?, adding more: [String: Tensor] = [:]
  ) throws -> String {
    let source = try SafetensorsFile(path: Self.fixture("grounding/features.safetensors"))
    var writer = SafetensorsWriter()
    for key in source.keys where key != "expected" {
      if let tensor = change(key, try source.tensor(key)) { writer.add(key, tensor) }
    }
    for (key, tensor) in more { writer.add(key, tensor) }
    try writer.write(to: folder + "/features.safetensors")
    return folder + "/features.safetensors"
  }

  @Test func logitsAgreeWithTheReference() async throws {
    try await withFolder { folder in
      let outcome = try await ground(folder, ["--json", "--statistics", "running"])
      #expect(outcome.code == 0, "\(outcome.error)")
      let result = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
      #expect(result["event"] == "result" && result["entities"] == 3)
      #expect(result["size"] == [64, 96] && result["statistics"] == "running")
      let logits = try SafetensorsFile(path: folder + "/logits.safetensors").tensor("logits")
      #expect(logits.shape == [3, 64, 96])
      let values = logits.values
      var thinned: [Float] = []
      for entity in 0..<3 {
        for row in stride(from: 0, to: 64, by: 4) {
          let start = (entity * 64 + row) * 96
          for column in stride(from: 0, to: 96, by: 4) { thinned.append(values[start + column]) }
        }
      }
      let expected = try Fixture("grounding/features.safetensors").tensor("expected")
      #expect(
        Difference(Tensor(thinned, shape: [3, 16, 24]), expected)
          .keeps(within: .layer, "triptych ground"))
      let count = Double(values.count)
      var sum = 0.0
      for value in values { sum += Double(value) }
      let mean = sum / count
      var squares = 0.0
      for value in values {
        let offset = Double(value) - mean
        squares += offset * offset
      }
      let deviation = (squares / count).squareRoot()
      #expect(abs((result["mean"]?.number ?? .nan) - mean) < 1e-6 * deviation)
      #expect(abs((result["std"]?.number ?? .nan) - deviation) < 1e-6 * deviation)
    }
  }

  @Test func statisticsAndThreadsAreChosen() async throws {
    try await withFolder { folder in
      var files: [Data] = []
      for more in [[], ["--threads", "1"], ["--statistics", "image"]] {
        let outcome = try await ground(folder, more)
        #expect(outcome.code == 0 && outcome.output.contains("3 map(s) of 96×64"))
        files.append(
          try Data(contentsOf: URL(fileURLWithPath: folder + "/logits.safetensors")))
      }
      #expect(files[0] == files[1] && files[0] != files[2])
      let unknown = try await ground(folder, ["--statistics", "batch"])
      #expect(unknown.code == 64)
    }
  }

  @Test func twoHundredEntitiesAreGrounded() async throws {
    try await withFolder { folder in
      var random = SeededGenerator(seed: 8)
      let many = random.tensor([1, 200, 32])
      let features = try changed(folder) { $0 == "entities" ? many : $1 }
      let outcome = try await ground(folder, features: features, ["--json"])
      #expect(outcome.code == 0, "\(outcome.error)")
      let logits = try SafetensorsFile(path: folder + "/logits.safetensors")
      #expect(logits.record("logits")?.shape == [200, 64, 96])
      let far = try changed(folder) { $0 == "entities" ? Tensor.zeros([1, 65_535, 32]) : $1 }
      expectRefusal(
        try await ground(folder, features: far), code: 65, saying: "n from 1 to 65534")
    }
  }

  @Test func modulesThatAreNoneAreRefused() async throws {
    try await withFolder { folder in
      for (name, code, part) in [
        ("checkpoints/torch/calls.pth", 65, "posix.system, which is not allowed"),
        ("checkpoints/torch/outside.pth", 65, "lies outside its storage of 6 elements"),
        ("checkpoints/torch/legacy.pth", 65, "save the state_dict anew"),
        ("checkpoints/torch/module.pth", 65, "is no grounding module"),
        ("grounding/features.safetensors", 65, "is no grounding module"),
        ("grounding/generate.py", 65, "neither safetensors nor a PyTorch checkpoint"),
        ("grounding/none.pth", 66, "there is no such file"),
        ("grounding", 74, "is a folder"),
      ] as [(String, Int32, String)] {
        let outcome = try await ground(folder, grounding: Self.fixture(name))
        expectRefusal(outcome, code: code, saying: part)
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/logits.safetensors"))
      #expect(!FileManager.default.fileExists(atPath: "/tmp/triptych-was-here"))
      for (name, size) in [
        ("grounding/ours.safetensors", 100_000), ("checkpoints/torch/module.pth", 1000),
      ] {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: Self.fixture(name)))
        bytes.removeSubrange(size...)
        try bytes.write(to: URL(fileURLWithPath: folder + "/short"))
        let outcome = try await ground(folder, grounding: folder + "/short")
        expectRefusal(outcome, code: 65, saying: "cut short")
      }
    }
  }

  @Test func featuresOfAnotherUNetAreRefusedByName() async throws {
    try await withFolder { folder in
      let wide = try changed(folder) {
        $0 == "feature.level1.2.cond" ? Tensor.zeros([1, 32, 4, 6]) : $1
      }
      expectRefusal(
        try await ground(folder, features: wide), code: 65,
        saying: "feature.level1.2.cond: found shape [1, 32, 4, 6], expected [1, 24, 4, 6]")
      let fewer = try changed(folder) { $0 == "feature.level0.4.uncond" ? nil : $1 }
      expectRefusal(
        try await ground(folder, features: fewer), code: 65, saying: "feature.level0.4.uncond")
      let more = try changed(
        folder, { $1 }, adding: ["feature.level2.4.cond": Tensor.zeros([1, 24, 2, 3])])
      expectRefusal(
        try await ground(folder, features: more), code: 65, saying: "feature.level2.4.cond")
      let sizes = try changed(folder) {
        $0 == "feature.level2.1.cond" ? Tensor.zeros([1, 24, 3, 3]) : $1
      }
      expectRefusal(
        try await ground(folder, features: sizes), code: 65, saying: "feature.level2.1.cond")
      for shape in [[1, 2, 31], [2, 1, 32], [1, 0, 32], [32]] {
        let texts = try changed(folder) { $0 == "entities" ? Tensor.zeros(shape) : $1 }
        expectRefusal(
          try await ground(folder, features: texts), code: 65, saying: "entities: found shape")
      }
      let none = try changed(folder) { $0 == "entities" ? nil : $1 }
      expectRefusal(try await ground(folder, features: none), code: 65, saying: "entities")
      expectRefusal(
        try await ground(folder, features: folder + "/absent"), code: 66, saying: "absent")
    }
  }

  @Test func logitsThatCannotBeWrittenAreSaid() async throws {
    let outcome = try await ground("/no/such/folder")
    expectRefusal(outcome, code: 73, saying: "/no/such/folder")
  }
}
