import CanonicalJSON
import Foundation
import Subprocess
import TestSupport
import Testing

/// Sweeps of `triptych evaluate grounding` on the small pack and the tiny model.
@Suite(.serialized) struct EvaluateSweepTests {
  private static let pack = Fixture.folder.appendingPathComponent("world").path
  private static let module = Fixture.folder.appendingPathComponent("grounding/ours.safetensors")
    .path
  private static let composed = [
    "evaluate", "grounding", "--world", pack, "--size", "32", "--steps", "3", "--count", "2",
    "--inversion", "noise", "--model", Program.tinyModel, "--precision", "exact",
  ]

  private func evaluate(_ extra: [String]) async throws -> JSONValue {
    let outcome = try await Program.run(Self.composed + ["--json"] + extra)
    #expect(outcome.code == 0, "\(outcome.error)")
    return try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  /// The values of what was varied, in order.
  private func settings(_ result: JSONValue) throws -> [String?] {
    try #require(result["rows"]?.elements).filter { $0["group"] == "held_out" }
      .map { $0["setting"]?.string }
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func aSweepOverStepsWritesARowForEachStep() async throws {
    try await withFolder(inMemory: true) { folder in
      let result = try await evaluate([
        "--grounding", Self.module, "--sweep", "step", "--output", folder + "/out",
      ])
      let text = try String(contentsOfFile: folder + "/out/sweep.csv", encoding: .utf8)
      let lines = text.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
      }
      #expect(lines[0].prefix(2) == ["step", "timestep"])
      #expect(Set(lines.map(\.count)).count == 1)
      let whole = lines.filter { $0[4] == "held_out" }
      #expect(whole.map { $0[0] } == ["2", "1", "0"])
      let plain = try await evaluate(["--grounding", Self.module])
      // The module reads the last step, where nothing else is said.
      for key in ["miou", "presence_accuracy", "boundary_iou"] {
        #expect(result[key] == plain[key])
      }
      #expect(result["rows"]?.elements?.count == lines.count - 1)
    }
  }

  @Test func aSweepOverTrainingTrainsWhatItMeasures() async throws {
    try await withFolder(inMemory: true) { folder in
      let options = [
        "--sweep", "seen-share", "--train-steps", "1", "--output", folder + "/out",
      ]
      let first = try await evaluate(options)
      #expect(try settings(first) == ["0.25", "0.5", "0.75", "0.9"])
      let weights = folder + "/out/seen-share-0.5/weights.safetensors"
      let made = try bytes(weights)
      let again = try await evaluate(options)
      #expect(again == first)
      #expect(try bytes(weights) == made)
    }
  }

  @Test func modulesOfASweepLearnFromScenesOfAsManyThings() async throws {
    try await withFolder(inMemory: true) { folder in
      let output = folder + "/out"
      let result = try await evaluate([
        "--sweep", "train-objects", "--train-steps", "2", "--output", output,
      ])
      #expect(try settings(result) == ["1", "2", "1-2"])
      let weights = try ["1", "2", "1-2"].map {
        try bytes("\(output)/train-objects-\($0)/weights.safetensors")
      }
      #expect(Set(weights).count == 3)
    }
  }

  @Test func modulesOfASweepLearnFromEveryKindOfPicture() async throws {
    try await withFolder(inMemory: true) { folder in
      let (run, output) = (folder + "/run", folder + "/out")
      let generated = try await Program.run(
        [
          "generate", "--vocabulary", "dog,cat,chair", "--templates", "simple", "--objects", "2",
          "--count", "3", "--steps", "2", "--grounding", Self.module, "--output", run,
        ] + Program.tinyOptions)
      // 1 says that filters turned pictures away, which do not matter here.
      #expect([0, 1].contains(generated.code), "\(generated.error)")
      let result = try await evaluate([
        "--classes", "dog,cat,chair", "--sweep", "data", "--train-steps", "2", "--batch", "2",
        "--data", run, "--output", output,
      ])
      #expect(try settings(result) == ["noised", "inverted", "generated"])
      let weights = try ["noised", "inverted", "generated"].map {
        try bytes("\(output)/data-\($0)/weights.safetensors")
      }
      #expect(Set(weights).count == 3)
    }
  }

  @Test func aStoppedSweepGoesOnToTheSameFigures() async throws {
    try await withFolder(inMemory: true) { folder in
      func options(_ output: String) -> [String] {
        ["--sweep", "train-objects", "--train-steps", "12", "--output", output]
      }
      let whole = try await evaluate(options(folder + "/whole"))
      let cut = folder + "/cut"
      // In the second training.
      let second = cut + "/train-objects-2"
      let stopped = try await Program.interrupt(
        Self.composed + options(cut), with: .terminate,
        when: { FileManager.default.fileExists(atPath: second) })
      #expect(stopped.code == 143, "\(stopped.error)")
      #expect(stopped.error.contains("the training is saved, the same command goes on"))
      #expect(!FileManager.default.fileExists(atPath: cut + "/sweep.csv"))
      let resumed = try await evaluate(options(cut))
      #expect(resumed["rows"] == whole["rows"])
      for name in [
        "sweep.csv", "train-objects-1/weights.safetensors", "train-objects-2/weights.safetensors",
      ] {
        #expect(try bytes("\(cut)/\(name)") == bytes("\(folder)/whole/\(name)"), "\(name)")
      }
    }
  }
}
