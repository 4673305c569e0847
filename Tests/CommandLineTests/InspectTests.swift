import CanonicalJSON
import Foundation
import Imaging
import TestSupport
import Testing

@Suite(.serialized) struct InspectTests {
  private func inspect(
    _ prompt: String = "a photo of a dog and a cat", _ entities: String = "dog,cat,zebra",
    _ extra: [String] = [], to folder: String
  ) async throws -> Program.Outcome {
    try await Program.run(
      ["inspect", prompt, "--entities", entities, "--steps", "3", "--output", folder]
        + Program.tinyOptions + extra)
  }

  private func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private func findings(_ folder: String) throws -> JSONValue {
    try JSONValue.parse(try bytes(folder + "/inspect.json"))
  }

  @Test func thePictureIsThatOfARunAndWhatIsNotNamedIsAbsent() async throws {
    try await withFolder { folder in
      let outcome = try await inspect(["--seed", "7", "--json"], to: folder + "/out")
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(outcome.errorLines.count == 1 && outcome.error.contains("zebra"))
      let json = try findings(folder + "/out")
      let result = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
      #expect(result["event"] == "result" && result["entities"] == json["entities"])
      #expect(json["prompt"] == "a photo of a dog and a cat" && json["seed"] == "7")
      let entities = try #require(json["entities"]?.elements)
      #expect(entities.map { $0["name"]?.string } == ["dog", "cat", "zebra"])
      #expect(entities.map { $0["named"] } == [true, true, false])
      #expect(entities[2]["present"] == false && entities[2]["area"] == 0)
      let mask = try PNGCodec.decodeMask(try bytes(folder + "/out/mask.png"))
      #expect(mask.pixels.width == 32 && mask.pixels.height == 32 && mask.palette == Palette.voc)
      #expect(Set(mask.pixels.ids).isSubset(of: [0, 1, 2]))
      for (index, entity) in entities.enumerated() {
        let share = Double(mask.pixels.ids.count { $0 == index + 1 }) / 1024
        #expect(abs(try #require(entity["area"]?.number) - share) < 1e-5)
      }
      let run = try await Program.run(
        [
          "generate", "--prompt", "a photo of a dog and a cat", "--seed", "7", "--steps", "3",
          "--no-masks", "--output", folder + "/run",
        ] + Program.tinyOptions)
      #expect(run.code == 0, "\(run.error)")
      let made = try PNGCodec.decodeImage(
        try bytes(folder + "/run/shards/00000/images/000000000.png")
      ).pixels
      let panel = try PNGCodec.decodeImage(try bytes(folder + "/out/panel.png")).pixels
      // The picture stands on the panel eight times as large.
      #expect(contains(panel, try made.resized(width: 256, height: 256, method: .nearest)))
    }
  }

  /// Whether a picture lies somewhere on another one.
  private func contains(_ panel: PixelImage, _ part: PixelImage) -> Bool {
    let row = Array(part.samples.prefix(part.width * 3))
    for y in 0...panel.height - part.height {
      for x in 0...panel.width - part.width {
        let start = (y * panel.width + x) * 3
        guard panel.samples[start] == row[0],
          Array(panel.samples[start..<start + row.count]) == row
        else { continue }
        let isWhole = (0..<part.height).allSatisfy { line in
          let from = ((y + line) * panel.width + x) * 3
          return panel.samples[from..<from + row.count]
            == part.samples[line * row.count..<(line + 1) * row.count]
        }
        if isWhole { return true }
      }
    }
    return false
  }

  private func inspect(_ extra: [String], to folder: String) async throws -> Program.Outcome {
    try await inspect("a photo of a dog and a cat", "dog,cat,zebra", extra, to: folder)
  }

  @Test func theSameCommandGivesTheSameBytesOnAnyNumberOfThreads() async throws {
    try await withFolder { folder in
      for (name, threads) in [("a", "1"), ("b", "2")] {
        let outcome = try await inspect(
          ["--steps-sweep", "--threads", threads], to: "\(folder)/\(name)")
        #expect(outcome.code == 0, "\(outcome.error)")
      }
      #expect(try contents(of: folder + "/a") == contents(of: folder + "/b"))
      #expect(
        try contents(of: folder + "/a").keys.sorted() == ["inspect.json", "mask.png", "panel.png"])
    }
  }

  @Test func aSweepSaysWhatEachStepSees() async throws {
    try await withFolder { folder in
      let plain = try await inspect([], to: folder + "/plain")
      let swept = try await inspect(["--steps-sweep"], to: folder + "/swept")
      #expect(plain.code == 0 && swept.code == 0, "\(swept.error)")
      let json = try findings(folder + "/swept")
      let steps = try #require(json["steps_sweep"]?.elements)
      #expect(steps.map { $0["step"]?.integer } == [0, 1, 2])
      let timesteps = steps.compactMap { $0["timestep"]?.integer }
      #expect(timesteps.count == 3 && timesteps == timesteps.sorted(by: >))
      #expect(steps.allSatisfy { $0["entities"]?.elements?.count == 3 })
      #expect(try findings(folder + "/plain")["entities"] == json["entities"])
      #expect(try findings(folder + "/plain")["steps_sweep"] == nil)
      #expect(try bytes(folder + "/plain/mask.png") == bytes(folder + "/swept/mask.png"))
      #expect(try bytes(folder + "/plain/panel.png") != bytes(folder + "/swept/panel.png"))
    }
  }

  @Test(arguments: ["ddim", "noise"])
  func aRealPictureIsInspected(_ inversion: String) async throws {
    let picture = Fixture.folder.appendingPathComponent("imaging/orientation6.jpg")
    let upright = try JPEGCodec.decode([UInt8](try Data(contentsOf: picture)))
    try await withFolder { folder in
      let outcome = try await inspect(
        ["--image", picture.path, "--inversion", inversion, "--steps-sweep"], to: folder + "/out")
      #expect(outcome.code == 0, "\(outcome.error)")
      let json = try findings(folder + "/out")
      #expect(json["image"] == .string(picture.path))
      #expect(json["inversion"] == .string(inversion))
      #expect(json["guidance"] == 3)
      #expect(json["steps_sweep"]?.elements?.count == 3)
      let panel = try PNGCodec.decodeImage(try bytes(folder + "/out/panel.png")).pixels
      let fitted = try upright.fitted(width: 32, height: 32, fit: .crop)
      #expect(contains(panel, try fitted.resized(width: 256, height: 256, method: .nearest)))
    }
  }

  @Test func aPictureIsInvertedWithoutGuidanceUnlessToldOtherwise() async throws {
    let picture = Fixture.folder.appendingPathComponent("imaging/colour444.jpg").path
    try await withFolder { folder in
      let outcome = try await Program.run([
        "inspect", "a dog", "--entities", "dog", "--image", picture, "--model", Program.tinyModel,
        "--steps", "2", "--size", "32", "--output", folder + "/out",
      ])
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(try findings(folder + "/out")["guidance"] == 1)
    }
  }

  /// The small module reads the last step alone, with and without the text.
  @Test(arguments: [["--guidance", "1"], ["--image", "imaging/colour444.jpg"], []])
  func aGroundingModuleFindsWhatThePromptDoesNotName(_ extra: [String]) async throws {
    let fixtures = Fixture.folder.path
    let module = fixtures + "/grounding/ours.safetensors"
    let given = extra.map { $0.hasPrefix("imaging/") ? "\(fixtures)/\($0)" : $0 }
    try await withFolder { folder in
      let guidance = extra.contains("--guidance") ? [] : ["--guidance", "3"]
      let outcome = try await Program.run(
        [
          "inspect", "a dog", "--entities", "dog,zebra", "--grounding", module, "--steps-sweep",
          "--model", Program.tinyModel, "--scheduler", "ddim", "--size", "32", "--steps", "3",
          "--output", folder + "/out",
        ] + guidance + given)
      #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
      let json = try findings(folder + "/out")
      #expect(json["mask_source"] == "grounding")
      let whole = try #require(json["entities"]?.elements)
      let steps = try #require(json["steps_sweep"]?.elements)
      let last = try #require(steps.last?["entities"]?.elements)
      for key in ["present", "presence", "area", "confidence", "edge_confidence"] {
        #expect(whole.map { $0[key] } == last.map { $0[key] }, "\(key)")
      }
      #expect(steps[0]["entities"] != steps[2]["entities"])
      #expect(try #require(whole[1]["presence"]?.number) > 0)
    }
  }

  @Test func twoHundredEntitiesAreInspected() async throws {
    try await withFolder { folder in
      let names = (1...200).map { "thing \($0)" }.joined(separator: ",")
      let outcome = try await inspect(
        "a dog", names, ["--steps-sweep"], to: folder + "/out")
      #expect(outcome.code == 0, "\(outcome.error.prefix(300))")
      #expect(outcome.errorLines.count == 1 && outcome.error.contains("199 more"))
      #expect(try findings(folder + "/out")["entities"]?.elements?.count == 200)
      let panel = try PNGCodec.decodeImage(try bytes(folder + "/out/panel.png")).pixels
      #expect(panel.width <= PixelImage.sideLimit && panel.height <= PixelImage.sideLimit)
    }
  }

  @Test func badEntitiesAreRefusedInOneLine() async throws {
    try await withFolder { folder in
      for (entities, part) in [
        ("", "no entity is named"), (" , ", "no entity is named"), ("dog,,cat", "entity 2 of 3"),
        ("dog,Dog", "named twice"),
        ((1...255).map { "a\($0)" }.joined(separator: ","), "254 at most"),
      ] {
        expectRefusal(
          try await inspect("a dog", entities, to: folder + "/out"), code: 64, saying: part)
        #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
      }
    }
  }

  @Test func badInputIsRefusedInOneLine() async throws {
    try await withFolder { folder in
      let text = folder + "/text.png"
      try Data("no picture".utf8).write(to: URL(fileURLWithPath: text))
      let out = folder + "/out"
      for (extra, code, part) in [
        (["--image", text], Int32(65), "neither a PNG nor a JPEG"),
        (["--image", folder + "/none.png"], 66, "none.png"),
        (["--image", folder], 74, "is a folder"),
        (["--image", text, "--eta", "1"], 64, "--eta"),
        (["--mask-source", "grounding"], 64, "--grounding"),
        (["--grounding", folder + "/none.pth"], 66, "none.pth"),
        (["--size", "12"], 64, "a multiple of 8"),
      ] {
        let outcome = try await inspect(extra, to: out)
        #expect(outcome.code == code, "\(extra): \(outcome.error)")
        #expect(outcome.error.contains(part), "\(outcome.error)")
        #expect(outcome.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: out + "/panel.png"))
      }
      expectRefusal(try await inspect([], to: text), code: 73, saying: "is a file")
      expectRefusal(try await inspect([], to: text + "/in"), code: 73, saying: "cannot be made")
      expectRefusal(try await inspect([], to: "/proc/none"), code: 73, saying: "cannot be made")
    }
  }
}
