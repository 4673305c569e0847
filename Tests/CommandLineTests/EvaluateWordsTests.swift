import CanonicalJSON
import Foundation
import Imaging
import TestSupport
import Testing

/// LSeg and SED, tiny, on pictures whose masks are known, on the built program.
@Suite struct EvaluateWordsTests {
  private static let pack = Fixture.folder.appendingPathComponent("world").path

  private func mask(_ path: String) throws -> LabelMask { try ImageFile.readMask(path) }

  @Test(arguments: TinySegmenter.allCases)
  func aRunsClassesAreSaidWithTheirAliases(architecture: TinySegmenter) async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      let model = try Segmenting(folder, architecture)
      let options = model.options + ["--no-text-cache"]
      let composed = try await Program.run(
        [
          "compose", "--world", Self.pack, "--classes", "dog,cat,chair", "--size", "32", "--count",
          "2", "--objects", "1-2", "--output", "run",
        ], in: folder)
      #expect(composed.code == 0, "\(composed.error)")
      let result = try await masks.evaluate(
        ["segmenter", "--data", "run", "--save-masks", "kept"] + options)
      #expect(result["architecture"] == .string(architecture.rawValue) && result["pictures"] == 2)
      let again = try await masks.evaluate(["masks", "--predicted", "kept", "--truth", "run"])
      #expect(again["miou"] == result["miou"] && again["per_class"] == result["per_class"])
      // The masks are those of triptych segment with the same labels.
      let pictures = folder + "/run/shards/00000/images"
      let segmented = try await Program.run(
        [
          "segment", pictures, "--labels", "other", "--labels", "run/classes.tsv", "--output",
          "out",
        ] + options, in: folder)
      #expect(segmented.code == 0, "\(segmented.error)")
      for name in ["000000000.png", "000000001.png"] {
        #expect(try mask("\(folder)/kept/\(name)") == mask("\(folder)/out/\(name)"))
      }
      // The folder with overlays beside its masks is read as it is.
      let whole = try await masks.evaluate(["masks", "--predicted", "out", "--truth", "run"])
      #expect(whole["miou"] == result["miou"])
      let said = try await masks.evaluate(
        ["segmenter", "--data", "run", "--labels", "dog=hound|puppy,other"] + options)
      #expect(said["pictures"] == 2)
      expectRefusal(
        try await Program.run(
          ["evaluate", "segmenter", "--data", "run", "--labels", "gnu,okapi"] + options, in: folder),
        code: 64, saying: "\"gnu\" is no class of the data")
    }
  }

  @Test(arguments: TinySegmenter.allCases)
  func anEpisodeAsksForOneClass(architecture: TinySegmenter) async throws {
    try await withFolder(inMemory: true) { folder in
      let masks = DrawnMasks(folder: folder)
      let model = try Segmenting(folder, architecture)
      for name in ["dog", "cat"] {
        let white = try PixelImage(width: 20, height: 10, filledWith: Colour(255, 255, 255))
        try masks.write(PNGCodec.encode(white), to: "FSS-1000/\(name)/1.png")
        try masks.picture(width: 20, height: 10, "FSS-1000/\(name)/1.jpg")
      }
      let command = ["--protocol", "fss-1000"]
      let result = try await masks.evaluate(
        ["segmenter", "--data", ".", "--save-masks", "kept", "--no-text-cache"] + command
          + model.options)
      #expect(result["episodes"] == 2 && result["classes"] == 2)
      let kept = try mask(folder + "/kept/dog__1.png")
      #expect(kept.width == 480 && kept.height == 480 && kept.ids.allSatisfy { $0 <= 1 })
      let again = try await masks.evaluate(
        ["masks", "--truth", ".", "--predicted", "kept"] + command)
      #expect(again["miou"] == result["miou"] && again["fb_iou"] == result["fb_iou"])
      #expect(again["per_class"] == result["per_class"])
    }
  }
}
