import CanonicalJSON
import Foundation
import Subprocess
import TestSupport
import Testing

/// What masks are worth, measured by the built program on the small pack and the tiny model.
@Suite(.serialized) struct EvaluateTests {
  private static let pack = Fixture.folder.appendingPathComponent("world").path
  private static let module = Fixture.folder.appendingPathComponent("grounding/ours.safetensors")
    .path
  private static let model = [
    "--model", Program.tinyModel, "--precision", "exact",
  ]
  private static let composed =
    ["evaluate", "grounding", "--world", pack, "--size", "32", "--steps", "3"] + model

  private func result(_ outcome: Program.Outcome) throws -> JSONValue {
    #expect(outcome.code == 0, "\(outcome.error)")
    return try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  private func evaluate(_ extra: [String]) async throws -> JSONValue {
    try result(try await Program.run(Self.composed + ["--json"] + extra))
  }

  /// A table of the pack's classes in which every third one is unseen.
  private func table(in folder: String) throws -> String {
    let names = [
      "bicycle", "bottle", "car", "cat", "chair", "dog", "horse", "lamp", "mug", "sofa",
      "teddy bear", "umbrella",
    ]
    let lines = names.enumerated().map { number, name in
      "\(number + 1)\t\(name)\t\t\(number % 3 == 2 ? "unseen" : "seen")\n"
    }
    let path = folder + "/classes.tsv"
    try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func composedScenesGiveTheFiguresOfEverySourceAndInversion() async throws {
    try await withFolder(inMemory: true) { folder in
      let options = [
        "--classes", try table(in: folder), "--grounding", Self.module, "--baseline", "--count",
        "5", "--ddim-count", "2", "--seed", "4",
      ]
      let result = try await evaluate(options + ["--batch", "1", "--threads", "1"])
      for key in [
        "seen_miou", "unseen_miou", "harmonic_miou", "presence_accuracy", "boundary_iou",
        "ceiling_miou", "miou",
      ] {
        let value = try #require(result[key]?.number, "\(key)")
        #expect((0...1).contains(value), "\(key) \(value)")
      }
      let (seen, unseen) = (
        try #require(result["seen_miou"]?.number), try #require(result["unseen_miou"]?.number)
      )
      let harmonic = try #require(result["harmonic_miou"]?.number)
      #expect(abs(harmonic * (seen + unseen) - 2 * seen * unseen) < 1e-5)
      #expect(try #require(result["ceiling_miou"]?.number) > 0.1)
      let rows = try #require(result["rows"]?.elements)
      let sources = Set(rows.map { "\($0["inversion"] ?? "") \($0["mask_source"] ?? "")" })
      #expect(sources.count == 4)
      #expect(rows[0]["inversion"] == "noise" && rows[0]["mask_source"] == "grounding")
      #expect(rows[0]["pictures"] == 5)
      #expect(rows.last { $0["group"] == "held_out" }?["pictures"] == 2)
      #expect(rows[0]["miou"] == result["miou"])
      #expect(rows.contains { $0["group"] == "novel_things" })
      #expect(rows.contains { $0["group"] == "novel_views" })
      // Attention has no say in what the prompt does not name, and takes for granted what it names.
      for row in rows where row["mask_source"] == "attention" && row["group"] == "held_out" {
        #expect(row["presence"]?["unnamed_absent"] == 1)
      }
      let classes = try #require(result["per_class"]?.members)
      #expect(classes.allSatisfy { $0.value["iou"] != nil && $0.value["ceiling_iou"] != nil })
      let named = classes.reduce(0) { $0 + ($1.value["pictures"]?.integer ?? 0) }
      #expect((5...10).contains(named))
      let mean =
        classes.compactMap { $0.value["iou"]?.number }.reduce(0, +) / Double(classes.count)
      #expect(abs(mean - (result["miou"]?.number ?? -1)) < 1e-5)
      let together = try await evaluate(options + ["--batch", "3", "--threads", "2"])
      #expect(together == result)
    }
  }

  @Test func peopleGetATable() async throws {
    let outcome = try await Program.run(
      Self.composed + ["--count", "1", "--inversion", "noise", "--objects", "1"])
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.output.hasPrefix("masks by"))
    #expect(outcome.output.contains("attention  noise"))
    #expect(Set(outcome.lines.map(\.count)).count == 1)
  }

  @Test func aStoppedEvaluationSaysThatNothingWasWritten() async throws {
    try await withFolder(inMemory: true) { folder in
      let output = folder + "/out"
      let stopped = try await Program.interrupt(
        Self.composed + [
          "--grounding", Self.module, "--count", "100000", "--inversion", "noise", "--output",
          output,
        ], with: .interrupt, when: { FileManager.default.fileExists(atPath: output) })
      #expect(stopped.code == 130, "\(stopped.error)")
      #expect(stopped.error.contains("no figures were written"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: output).isEmpty)
    }
  }
}
