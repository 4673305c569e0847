import CanonicalJSON
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

/// Generated pictures under an oracle, and the oracle itself, on the built program.
@Suite(.serialized) struct EvaluateGeneratedTests {
  private static let pack = Fixture.folder.appendingPathComponent("world").path
  private static let module = Fixture.folder.appendingPathComponent("grounding/ours.safetensors")
    .path
  private static let model = ["--model", Program.tinyModel, "--precision", "exact"]

  private func result(_ outcome: Program.Outcome) throws -> JSONValue {
    #expect(outcome.code == 0, "\(outcome.error)")
    return try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  private func run(_ arguments: [String]) async throws -> JSONValue {
    try result(try await Program.run(arguments + ["--json"]))
  }

  /// A run of the tiny model; exit code 1 says that filters turned pictures away, which do not matter here.
  private func generate(_ extra: [String], to folder: String) async throws {
    let outcome = try await Program.run(
      [
        "generate", "--vocabulary", "dog,cat,chair", "--templates", "simple", "--objects", "2",
        "--count", "3", "--steps", "2", "--output", folder,
      ] + Program.tinyOptions + extra)
    #expect([0, 1].contains(outcome.code), "\(outcome.error)")
  }

  private func evaluate(_ run: String, _ extra: [String]) async throws -> JSONValue {
    try await self.run(
      ["evaluate", "grounding", "--source", "generated", "--data", run] + Self.model + extra)
  }

  /// The masks of a run as a list of results: runs down the columns.
  private func results(of path: String) throws -> JSONValue {
    var found: [JSONValue] = []
    try RunContents.open(path: path).forEachSample { sample in
      let mask = try PNGCodec.decodeMask(
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: try #require(sample.maskPath))))
      ).pixels
      for id in Set(mask.ids) where id != LabelMask.background {
        var (counts, inside): ([JSONValue], Bool) = ([], false)
        var length = 0
        for place in 0..<mask.width * mask.height {
          let belongs = mask[place / mask.height, place % mask.height] == id
          if belongs != inside {
            counts.append(.integer(Int64(length)))
            (inside, length) = (belongs, 0)
          }
          length += 1
        }
        found.append([
          "image_id": .integer(Int64(sample.record.index + 1)),
          "category_id": .integer(Int64(id)), "score": 1,
          "segmentation": [
            "size": [.integer(Int64(mask.height)), .integer(Int64(mask.width))],
            "counts": .array(counts + [.integer(Int64(length))]),
          ],
        ])
      }
    }
    return .array(found)
  }

  /// The masks of a run, given back as an oracle's labels.
  @Test func aSourceIsPerfectAgainstItsOwnMasks() async throws {
    try await withFolder(inMemory: true) { folder in
      let path = folder + "/run"
      try await generate(["--grounding", Self.module], to: path)
      let labels = folder + "/labels.json"
      try Data(try results(of: path).text.utf8).write(to: URL(fileURLWithPath: labels))
      let result = try await evaluate(path, ["--grounding", Self.module, "--oracle", labels])
      #expect(result["miou"] == 1 && result["boundary_iou"] == 1)
      #expect(result["presence"]?["present"] == 1)
      #expect(result["rows"]?.elements?.first?["pictures"] == 3)
    }
  }

  @Test func aSegmenterLabelsAndJudges() async throws {
    try await withFolder(inMemory: true) { folder in
      let command = [
        "train", "segmenter", "--world", Self.pack, "--classes", "dog,cat,chair", "--steps", "2",
        "--batch", "2", "--size", "32", "--objects", "1-2", "--test-count", "3",
      ]
      let trained = try await run(command + ["--output", folder + "/a", "--threads", "1"])
      let own = try #require(trained["miou"]?.number)
      #expect((0...1).contains(own))
      _ = try await run(command + ["--output", folder + "/b", "--threads", "2"])
      let again = try await run(command + ["--output", folder + "/a"])
      #expect(again["miou"] == trained["miou"])
      let weights = folder + "/a/segmenter.safetensors"
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: weights))
          == Data(contentsOf: URL(fileURLWithPath: folder + "/b/segmenter.safetensors")))
      let path = folder + "/run"
      try await generate(["--no-masks"], to: path)
      let labels = folder + "/labels.json"
      let labelled = try await run(["label", path, "--segmenter", weights, "--output", labels])
      #expect(labelled["pictures"] == 3 && labelled["segmenter_miou"] == trained["miou"])
      let byFile = try await evaluate(
        path, ["--grounding", Self.module, "--oracle", labels, "--oracle-score", "0"])
      let atOnce = try await evaluate(
        path, ["--grounding", Self.module, "--oracle", weights, "--batch", "2"])
      #expect(byFile == atOnce)
      #expect(byFile["oracle_miou"] == trained["miou"])
      for (extra, code, part) in [
        (["--oracle", weights, "--objects", "3"], Int32(65), "names 3"),
        (["--oracle", weights, "--objects", "0"], 64, "expected a number"),
        (["--oracle", folder + "/none.json"], 66, "none.json"),
        (["--oracle", Self.module], 65, "is no segmenter"),
        (["--oracle", weights, "--steps", "3"], 64, "--steps"),
        (
          [
            "--oracle", weights, "--model",
            Fixture.folder.appendingPathComponent("diffusion/tiny-sd2").path,
          ],
          65, "another model"
        ),
      ] {
        let model = extra.contains("--model") ? [] : Self.model
        expectRefusal(
          try await Program.run(
            ["evaluate", "grounding", "--source", "generated", "--data", path] + model + extra),
          code: code, saying: part)
      }
    }
  }
}
