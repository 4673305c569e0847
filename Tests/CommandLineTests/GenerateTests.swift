import CanonicalJSON
import Checkpoints
import Foundation
import Imaging
import Subprocess
import TensorCore
import Testing

@Suite(.serialized) struct GenerateTests {
  private let command = [
    "generate", "--prompt", "a dog", "--prompt", "a cat", "--count", "5", "--shard-size", "2",
  ]

  private func make(_ folder: String, _ extra: String...) async throws -> [String: Data] {
    try await make(folder, extra)
  }

  private func make(_ folder: String, _ extra: [String]) async throws -> [String: Data] {
    let outcome = try await Program.run(
      command + Program.tinyOptions + ["--steps", "4", "--output", folder] + extra)
    #expect(outcome.code == 0, "\(outcome.error)")
    return try contents(of: folder)
  }

  @Test(arguments: ["exact", "default"])
  func bytesDependNeitherOnBatchNorOnThreads(precision: String) async throws {
    func make(_ folder: String, _ extra: String...) async throws -> [String: Data] {
      try await self.make(folder, ["--precision", precision] + extra)
    }
    try await withFolder { folder in
      let reference = try await make(folder + "/1-1", "--batch", "1", "--threads", "1")
      let run = try JSONValue.parse(Array(try #require(reference["run.json"])))
      #expect(run["numerics"]?["precision"] == .string(precision))
      #expect(reference.keys.count { $0.hasSuffix(".png") } == 5)
      #expect(reference.keys.count { $0.hasSuffix("DONE") } == 3)
      for (batch, threads) in [("1", "2"), ("3", "1"), ("3", "2"), ("5", "3")] {
        let made = try await make(
          "\(folder)/\(batch)-\(threads)", "--batch", batch, "--threads", threads)
        #expect(made == reference, "--batch \(batch) --threads \(threads)")
      }
      let noisy = try await make(folder + "/eta", "--eta", "1", "--batch", "1")
      let noisyBatch = try await make(folder + "/eta3", "--eta", "1", "--batch", "3")
      #expect(noisy == noisyBatch)
      #expect(
        noisy["shards/00000/images/000000000.png"] != reference["shards/00000/images/000000000.png"]
      )
    }
  }

  @Test func aSampleDependsOnItsNumberAndNotOnTheCount() async throws {
    try await withFolder { folder in
      let five = try await make(folder + "/five")
      let outcome = try await Program.run(
        ["generate", "--prompt", "a dog", "--prompt", "a cat", "--count", "2"] + Program.tinyOptions
          + ["--steps", "4", "--output", folder + "/two"])
      #expect(outcome.code == 0)
      let two = try contents(of: folder + "/two")
      for index in 0..<2 {
        let name = "shards/00000/images/00000000\(index).png"
        #expect(two[name] == five[name])
      }
    }
  }

  @Test(arguments: [("INT", Int32(130)), ("TERM", 143), ("KILL", 137)])
  func aStoppedRunGoesOnToTheSameBytes(name: String, code: Int32) async throws {
    try await withFolder { folder in
      let arguments = command + Program.tinyOptions + ["--steps", "600"]
      let whole = try await Program.run(arguments + ["--output", folder + "/whole"])
      #expect(whole.code == 0)
      let cut = folder + "/cut"
      let outcome = try await Program.interrupt(
        arguments + ["--output", cut],
        with: name == "INT" ? .interrupt : name == "TERM" ? .terminate : .kill
      ) {
        FileManager.default.fileExists(atPath: cut + "/shards/00000/DONE")
      }
      #expect(outcome.code == code)
      #expect(!FileManager.default.fileExists(atPath: cut + "/shards/00002"))
      if code != 137 { #expect(outcome.error.contains("the same command goes on")) }
      let resumed = try await Program.run(arguments + ["--output", cut])
      #expect(resumed.code == 0, "\(resumed.error)")
      #expect(try contents(of: cut) == contents(of: folder + "/whole"))
      #expect(!FileManager.default.fileExists(atPath: cut + "/partial"))
    }
  }

  @Test func anotherConfigurationIsExit78AndNamesTheKeys() async throws {
    try await withFolder { folder in
      let made = try await make(folder + "/run")
      let outcome = try await Program.run(
        command + Program.tinyOptions + [
          "--steps", "5", "--seed", "9", "--output", folder + "/run",
        ])
      expectRefusal(outcome, code: 78, saying: "sampling.steps is 4 in the folder and 5 now")
      #expect(outcome.error.contains("seed is"))
      #expect(try contents(of: folder + "/run") == made)
      let again = try await make(folder + "/run", "--batch", "2", "--threads", "1")
      #expect(again == made)
    }
  }

  @Test func jsonIsAllThatStandsOnStdout() async throws {
    try await withFolder { folder in
      let outcome = try await Program.run(
        command + Program.tinyOptions + ["--steps", "2", "--json", "--output", folder + "/run"])
      #expect(outcome.code == 0)
      let lines = try outcome.lines.map { try JSONValue.parse(Array($0.utf8)) }
      #expect(lines.count == 6)
      #expect(lines.dropLast().allSatisfy { $0["event"] == "sample" })
      let result = try #require(lines.last)
      #expect(
        result.members?.map(\.name) == [
          "event", "samples", "accepted", "output", "seconds_per_sample", "peak_rss_bytes",
          "rejected_by_reason", "per_class",
        ])
      #expect(result["event"] == "result" && result["samples"] == 5)
      #expect((result["peak_rss_bytes"]?.integer ?? 0) > 1 << 20)
    }
  }

  @Test func recordsAndPicturesSayTheSame() async throws {
    try await withFolder { folder in
      let files = try await make(folder + "/run", "--contact-sheet", folder + "/sheet.png")
      let text = try #require(files["shards/00000/records.jsonl"])
      let line = try #require(String(decoding: text, as: UTF8.self).split(separator: "\n").first)
      let record = try JSONValue.parse(Array(line.utf8))
      #expect(
        record.members?.map(\.name) == [
          "index", "image", "mask", "prompt", "seed", "attempt", "steps", "guidance", "scheduler",
          "width", "height", "accepted", "reasons", "entities", "scores", "rejected_attempts",
        ])
      #expect(record["mask"] == .null && record["entities"] == .array([]))
      #expect(record["prompt"] == "a dog" && record["guidance"]?.number == 3)
      let png = try #require(files["shards/00000/images/000000000.png"])
      let picture = try PNGCodec.decodeImage(Array(png))
      #expect(picture.record == String(line))
      #expect(picture.pixels.width == 32 && Set(picture.pixels.samples).count > 8)
      let run = try JSONValue.parse(Array(try #require(files["run.json"])))
      #expect(run["seed"] == "0" && run["numerics"]?["precision"] == "exact")
      let all = String(decoding: try #require(files["run.json"]), as: UTF8.self)
      #expect(!all.contains(folder) && !all.contains(Program.tinyModel))
      let sheet = try PNGCodec.decodeImage(
        Array(Data(contentsOf: URL(fileURLWithPath: folder + "/sheet.png"))))
      #expect(sheet.pixels.width > 32)
    }
  }

  @Test func latentsGoInAndComeOut() async throws {
    try await withFolder { folder in
      let (given, first, second) = (
        folder + "/in.safetensors", folder + "/a.safetensors", folder + "/b.safetensors"
      )
      var writer = SafetensorsWriter()
      writer.add("latents", RandomStreams(seed: 4).normals(stream: 0, shape: [2, 4, 4, 6]))
      try writer.write(to: given)
      let start = [
        "generate", "--prompt", "a dog", "--model", Program.tinyModel, "--scheduler", "ddim",
        "--steps", "3", "--latents", given,
      ]
      let outcome = try await Program.run(
        start + ["--save-latents", first, "--output", folder + "/run"])
      #expect(outcome.code == 0, "\(outcome.error)")
      let saved = try SafetensorsFile(path: first)
      #expect(saved.keys == ["latents"])
      #expect(saved.record("latents")?.shape == [2, 4, 4, 6])
      // A finished run gives the same latents again, whatever the batch.
      let again = try await Program.run(
        start + ["--save-latents", second, "--batch", "2", "--output", folder + "/run"])
      #expect(again.code == 0)
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: first))
          == Data(contentsOf: URL(fileURLWithPath: second)))
      expectRefusal(
        try await Program.run(start + ["--count", "3", "--output", folder + "/x"]), code: 64,
        saying: "they are 2, the run has 3")
      expectRefusal(
        try await Program.run(start + ["--size", "64", "--output", folder + "/x"]), code: 64,
        saying: "--latents")
    }
  }

  @Test(arguments: [
    "", "\n\t\r", "\u{1B}[31m", "日本語 🐶 e\u{301}", String(repeating: "dog ", count: 4000),
    "\"quoted\" \\ back", "--flag", "<|endoftext|>",
  ])
  func promptsOfAnyTextAreTaken(prompt: String) async throws {
    try await withFolder { folder in
      let outcome = try await Program.run(
        ["generate"] + (prompt.hasPrefix("-") ? ["--prompt=\(prompt)"] : ["--prompt", prompt])
          + Program.tinyOptions + [
            "--steps", "1", "--output", folder + "/run",
          ])
      #expect(outcome.code == 0, "\(outcome.error)")
      let record = try Data(
        contentsOf: URL(fileURLWithPath: folder + "/run/shards/00000/records.jsonl"))
      #expect(try JSONValue.parse(Array(record.dropLast()))["prompt"] == .string(prompt))
      #expect(outcome.error.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 })
    }
  }

  @Test func aDryRunMakesNothing() async throws {
    try await withFolder { folder in
      let outcome = try await Program.run(
        [
          "generate", "--vocabulary", "voc", "--count", "1000000000", "--dry-run", "--json",
          "--output", folder + "/run",
        ])
      #expect(outcome.code == 0)
      let result = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
      #expect(result["samples"] == 1_000_000_000)
      #expect(result["prompts"]?.elements?.count == 8)
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
    }
  }
}
