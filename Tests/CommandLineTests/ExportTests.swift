import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite struct ExportTests {
  private func withRun(_ body: (String) async throws -> Void) async throws {
    try await withFolder { folder in
      try SyntheticRun(isUniform: true).write(to: folder + "/run")
      try await body(folder)
    }
  }

  private func export(_ folder: String, _ arguments: String...) async throws -> Program.Outcome {
    try await Program.run(["export"] + arguments, in: folder)
  }

  @Test func bothLayoutsAreWrittenAndCounted() async throws {
    try await withRun { folder in
      let outcome = try await export(
        folder, "voc,coco", "run", "--output", "set", "--splits", "80,10,10", "--image-format",
        "jpeg", "--licence", "CC0-1.0", "--json")
      #expect(outcome.code == 0, "\(outcome.error)")
      #expect(outcome.errorLines.count == 2, "\(outcome.error)")
      #expect(
        outcome.errorLines.allSatisfy {
          $0.contains("has no room for") || $0.contains("have no room for")
        })
      let result = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
      #expect(outcome.lines.count == 1)
      #expect(result["event"] == "result")
      #expect(result["samples"] == 22)
      let splits = try #require(result["splits"]?.members)
      #expect(splits.map(\.name) == ["train", "val", "test"])
      #expect(splits.compactMap(\.value.integer).reduce(0, +) == 22)
      #expect(result["formats"] == ["voc", "coco"])
      #expect(result["output"] == "set")
      let files = try contents(of: folder + "/set")
      #expect(result["files"]?.integer == files.count)
      #expect(result["bytes"]?.integer == files.values.reduce(0) { $0 + $1.count })
      #expect(files["VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt"] != nil)
      #expect(files["annotations/instances_train.json"] != nil)
      #expect(files["annotations/panoptic_val.json"] != nil)
      #expect(files["README.md"] != nil && files["LICENSE"] != nil)
    }
  }

  @Test func theSameCommandGivesTheSameBytes() async throws {
    try await withRun { folder in
      #expect(try await export(folder, "coco,voc", "run", "--output", "one").code == 0)
      let one = try contents(of: folder + "/one")
      #expect(try await export(folder, "voc,coco", "run", "--output", "one").code == 0)
      #expect(try contents(of: folder + "/one") == one)
      #expect(
        try await export(folder, "voc,coco", "run", "--output", "two", "--threads", "3").code == 0)
      #expect(try contents(of: folder + "/two") == one)
    }
  }

  @Test func whatIsDecidedForTheUserIsSaidOnStderr() async throws {
    try await withRun { folder in
      let outcome = try await export(
        folder, "voc", "run", "--output", "set", "--image-format", "png")
      #expect(outcome.code == 0)
      #expect(outcome.output.hasPrefix("22 samples ("))
      #expect(outcome.error.contains("voc pictures are JPEG all the same"))
      #expect(outcome.error.contains("--licence NAME sets it"))
      #expect(outcome.errorLines.allSatisfy { $0.hasPrefix("triptych: ") })
      let card = try String(contentsOfFile: folder + "/set/README.md", encoding: .utf8)
      #expect(card.contains("license_name: \"unspecified\""))
    }
  }

  @Test(arguments: [
    (["tfrecord", "run", "--output", "set"], "- labelme - croissant"),
    (["voc,voc", "run", "--output", "set"], "voc,voc"), (["voc", "run"], "--output"),
    (["voc,", "run", "--output", "set"], "voc,"),
    (["voc", "run", "--output", "set", "--splits", "50,60,10"], "50,60,10"),
    (["voc", "run", "--output", "set", "--image-format", "gif"], "gif"),
    (["voc", "run", "--output", "set", "--instances", "pixels"], "pixels"),
    (["voc", "run", "--output", "set", "--jpeg-quality", "0"], "--jpeg-quality"),
    (["voc", "run", "--output", "set", "--licence", ""], "--licence"),
    (["voc", "run", "--output", "set", "--licence", "two\nlines"], "--licence"),
    (["voc", "run", "--output", ".."], "--output"),
  ])
  func whatCannotBeMeantIsAUsageError(arguments: [String], part: String) async throws {
    try await withRun { folder in
      let outcome = try await Program.run(["export"] + arguments, in: folder)
      expectRefusal(outcome, code: 64, saying: part)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["run"])
    }
  }

  @Test func faultsOfRunAndPlaceHaveTheirOwnExitCodes() async throws {
    try await withRun { folder in
      var bare = SyntheticRun(count: 3, shardSize: 3)
      bare.hasMasks = false
      try bare.write(to: folder + "/bare")
      expectRefusal(
        try await export(folder, "coco", "bare", "--output", "set"), code: 65, saying: "has a mask")
      expectRefusal(
        try await export(folder, "coco", "none", "--output", "set"), code: 66, saying: "none")
      try FileManager.default.createDirectory(
        atPath: folder + "/notes", withIntermediateDirectories: false)
      try "x".write(toFile: folder + "/notes/x", atomically: false, encoding: .utf8)
      let licence = ["--licence", "CC0-1.0"]
      expectRefusal(
        try await Program.run(
          ["export", "coco", "run", "--output", folder + "/notes"] + licence, in: folder),
        code: 73, saying: "is no earlier export")
      try "{".write(toFile: folder + "/run/run.json", atomically: false, encoding: .utf8)
      expectRefusal(
        try await export(folder, "coco", "run", "--output", "set"), code: 65, saying: "run.json")
      #expect(!FileManager.default.fileExists(atPath: folder + "/set"))
    }
  }

  @Test func optionsMayStandInAFile() async throws {
    try await withRun { folder in
      try "splits: \"100,0,0\"\nlicence: MIT\ninstances: parts\n".write(
        toFile: folder + "/export.yaml", atomically: false, encoding: .utf8)
      let outcome = try await export(
        folder, "coco", "run", "--output", "set", "--config", "export.yaml", "--json")
      #expect(outcome.code == 0, "\(outcome.error)")
      let result = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
      #expect(result["splits"] == ["train": 22])
      let manifest = try JSONValue.parse(
        Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/set/manifest.json"))))
      #expect(manifest["licence"] == "MIT" && manifest["instances"] == "parts")
    }
  }
}
