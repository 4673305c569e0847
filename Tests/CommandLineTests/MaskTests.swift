import CanonicalJSON
import Foundation
import Imaging
import TestSupport
import Testing

/// Masks in the run folders that the built program makes.
@Suite struct MaskTests {
  private static var grounding: String {
    Fixture.folder.appendingPathComponent("grounding/ours.safetensors").path
  }

  private func generate(
    _ arguments: [String], to output: String
  ) async throws -> Program.Outcome {
    try await Program.run(
      ["generate"] + arguments + Program.tinyOptions + ["--steps", "2", "--output", output])
  }

  private func records(_ run: String) throws -> [JSONValue] {
    let text = try String(contentsOfFile: "\(run)/shards/00000/records.jsonl", encoding: .utf8)
    return try text.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
  }

  private func mask(_ index: Int, of run: String) throws -> LabelMask {
    let file = URL(fileURLWithPath: "\(run)/shards/00000/masks/00000000\(index).png")
    return try PNGCodec.decodeMask(Array(try Data(contentsOf: file))).pixels
  }

  private static let everything = """
    entities: {require_named: false, min_area: off, max_area: off, min_confidence: off, min_agreement: off}
    picture: {min_contrast: off, max_clipped: off, duplicate_distance: off}

    """

  @Test func everySampleHasPictureMaskAndRecordThatAgree() async throws {
    try await withFolder { folder in
      let run = folder + "/run"
      let outcome = try await generate(
        ["--vocabulary", "dog,mug,owl", "--objects", "2", "--templates", "simple", "--count", "3"],
        to: run)
      #expect(outcome.code == 0 || outcome.code == 1, "\(outcome.error)")
      let records = try records(run)
      #expect(records.count == 3)
      for (index, record) in records.enumerated() {
        #expect(record["mask"]?.string == "masks/00000000\(index).png")
        let entities = try #require(record["entities"]?.elements)
        #expect(entities.count == 2)
        let mask = try mask(index, of: run)
        #expect(mask.width == 32 && mask.height == 32)
        let prompt = try #require(record["prompt"]?.string)
        for entity in entities {
          let keys = try #require(entity.members).map(\.name)
          #expect(
            keys.prefix(9) == [
              "name", "class_id", "words", "named", "present", "presence", "area", "confidence",
              "edge_confidence",
            ])
          #expect(entity["named"]?.bool == true)
          #expect(prompt.contains(try #require(entity["words"]?.string)))
          let id = UInt16(try #require(entity["class_id"]?.integer))
          let share = Double(mask.ids.count { $0 == id }) / Double(mask.ids.count)
          #expect(abs(try #require(entity["area"]?.number) - share) < 1e-6)
          #expect(entity["present"]?.bool == (share > 0))
        }
        let ids = Set(try entities.map { UInt16(try #require($0["class_id"]?.integer)) })
        #expect(Set(mask.ids).subtracting([LabelMask.background]).isSubset(of: ids))
      }
    }
  }

  @Test(arguments: [[], ["--guidance", "1"], ["--flip-check", "--ignore-band"]])
  func aGroundingModuleReadsMasksWhateverTheBatch(_ options: [String]) async throws {
    try await withFolder { folder in
      try Self.everything.write(
        toFile: folder + "/f.yaml", atomically: true, encoding: .utf8)
      let common =
        [
          "--prompt", "a dog and a mug", "--entities", "dog,mug,zebra", "--count", "3",
          "--grounding", Self.grounding, "--filters", folder + "/f.yaml",
        ] + options
      let one = try await generate(common, to: folder + "/one")
      let three = try await generate(
        common + ["--batch", "3", "--threads", "1"], to: folder + "/three")
      #expect(one.code == 0 && three.code == 0, "\(one.error)\(three.error)")
      #expect(try contents(of: folder + "/one") == contents(of: folder + "/three"))
      let flips = options.contains("--flip-check")
      for record in try records(folder + "/one") {
        let entities = try #require(record["entities"]?.elements)
        #expect(entities.map { $0["named"]?.bool } == [true, true, false])
        for entity in entities {
          #expect((entity["agreement"]?.number != nil) == flips)
          #expect((0...1).contains(try #require(entity["presence"]?.number)))
        }
      }
    }
  }

  @Test func attentionSaysInOneLineWhatNoPromptNames() async throws {
    try await withFolder { folder in
      let names = (0..<199).map { "thing\($0)" }.joined(separator: ",")
      let outcome = try await generate(
        ["--prompt", "a dog", "--entities", "dog,\(names)"], to: folder + "/many")
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(outcome.error.contains("199 entities (\"thing0\", \"thing1\", \"thing2\", …)"))
      let record = try #require(try records(folder + "/many").first)
      let entities = try #require(record["entities"]?.elements)
      #expect(entities.count == 200)
      #expect(entities.dropFirst().allSatisfy { $0["present"]?.bool == false })
      let classes = try String(contentsOfFile: folder + "/many/classes.tsv", encoding: .utf8)
      #expect(classes.hasPrefix("1\tdog\t") && classes.split(separator: "\n").count == 200)
    }
  }

  @Test func withoutEntitiesPicturesAreMadeAlone() async throws {
    try await withFolder { folder in
      let outcome = try await generate(["--prompt", "a dog"], to: folder + "/run")
      #expect(outcome.code == 0 && outcome.error.contains("--entities a,b"))
      #expect(try records(folder + "/run").first?["mask"]?.isNull == true)
      let quiet = try await generate(["--prompt", "a dog", "--no-masks"], to: folder + "/quiet")
      #expect(quiet.code == 0 && !quiet.error.contains("--entities"))
    }
  }

  @Test func attentionIsRefinedScaledAndCutAsAskedFor() async throws {
    try await withFolder { folder in
      try Self.everything.write(
        toFile: folder + "/f.yaml", atomically: true, encoding: .utf8)
      var masks: [[UInt16]] = []
      let variants = [
        [], ["--attention-refinement", "0"], ["--attention-scale", "peak"],
        ["--attention-threshold", "0.9"],
      ]
      for (number, options) in variants.enumerated() {
        let run = "\(folder)/\(number)"
        let outcome = try await generate(
          ["--prompt", "a dog", "--entities", "dog", "--filters", folder + "/f.yaml"] + options,
          to: run)
        #expect(outcome.code == 0, "\(outcome.error)")
        masks.append(try mask(0, of: run).ids)
      }
      #expect(masks[1] != masks[0] && masks[2] != masks[0] && masks[3] != masks[0])
      // A higher cut leaves a part of what a lower one took.
      #expect(zip(masks[3], masks[0]).allSatisfy { $0 == LabelMask.background || $1 != 0 })
    }
  }

  @Test func rejectedSamplesAreMadeAgainAndRecorded() async throws {
    try await withFolder { folder in
      try "attempts: 3\nentities: {min_area: off, max_area: 0}\n".write(
        toFile: folder + "/f.yaml", atomically: true, encoding: .utf8)
      let run = folder + "/run"
      let outcome = try await generate(
        ["--vocabulary", "dog,", "--count", "2", "--filters", folder + "/f.yaml"], to: run)
      #expect(outcome.code == 1, "\(outcome.error)")
      for record in try records(run) {
        #expect(record["accepted"]?.bool == false && record["attempt"]?.integer == 2)
        let rejected = try #require(record["rejected_attempts"]?.elements)
        #expect(rejected.map { $0["attempt"]?.integer } == [0, 1])
        let seeds = Set(rejected.compactMap { $0["seed"]?.string } + [record["seed"]?.string ?? ""])
        #expect(seeds.count == 3)
        #expect(record["reasons"]?.elements?.isEmpty == false)
      }
    }
  }

  @Test(arguments: [
    (["--prompt", "a", "--entities", "a", "--attention-refinement", "17"], "expected 0 to 16"),
    (["--prompt", "a", "--entities", "a", "--attention-threshold", "1"], "less than 1"),
    (["--prompt", "a", "--entities", "a", "--attention-scale", "log"], "log"),
    (["--prompt", "a", "--entities", ""], "no entity is named"),
    (["--prompt", "a", "--entities", "dog,,mug"], "entity 2 of 3 is empty"),
    (["--prompt", "a", "--entities", "dog,Dog"], "it is named twice"),
    (["--prompt", "a", "--entities", "dog", "--no-masks"], "--entities and --no-masks"),
    (["--vocabulary", "dog,", "--entities", "dog"], "--entities goes with --prompt"),
    (["--vocabulary", "dog,", "--mask-source", "grounding"], "give --grounding FILE"),
    (
      ["--vocabulary", "dog,", "--grounding", "x", "--mask-source", "attention"],
      "do not go together"
    ),
  ])
  func mistakesAreNamed(_ arguments: [String], _ part: String) async throws {
    try await withFolder { folder in
      let outcome = try await generate(arguments, to: folder + "/run")
      expectRefusal(outcome, code: 64, saying: part)
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
    }
  }

  @Test func aModuleOfAnotherModelIsRefusedWithWhatDiffers() async throws {
    let other = Fixture.folder.appendingPathComponent("diffusion/tiny-sd2").path
    try await withFolder { folder in
      let outcome = try await Program.run([
        "generate", "--prompt", "a dog", "--entities", "dog", "--model", other, "--steps", "1",
        "--size", "32", "--grounding", Self.grounding, "--output", folder + "/run",
      ])
      expectRefusal(outcome, code: 65, saying: "was made for another U-Net")
      let missing = try await generate(
        ["--prompt", "a", "--entities", "a", "--grounding", folder + "/none.pth"],
        to: folder + "/run")
      expectRefusal(missing, code: 66, saying: "none.pth")
      let text = try await generate(
        ["--prompt", "a", "--entities", "a", "--grounding", #filePath], to: folder + "/run")
      expectRefusal(text, code: 65, saying: "MaskTests.swift")
    }
  }
}
