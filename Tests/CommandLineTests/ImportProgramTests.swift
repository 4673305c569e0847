import CanonicalJSON
import DatasetFormat
import Foundation
import TestSupport
import Testing

@Suite struct ImportProgramTests {
  @Test(arguments: ["voc", "coco"])
  func anExportedRunIsReadAndWhole(format: String) async throws {
    try await withFolder(inMemory: true) { folder in
      try SyntheticRun(isUniform: true).write(to: folder + "/run")
      let licence = ["--licence", "CC0-1.0"]
      #expect(
        try await Program.run(
          ["export", format, "run", "--output", "set"] + licence, in: folder
        ).code == 0)
      let outcome = try await Program.run(
        ["import", format, "set", "--output", "again", "--shard-size", "5", "--json"] + licence,
        in: folder)
      #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
      let result = try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
      #expect(result["samples"] == 22 && result["listed"] == 22 && result["fault_count"] == 0)
      #expect(try await Program.run(["verify", "again"], in: folder).code == 0)
      let before = try contents(of: folder + "/again")
      #expect(
        try await Program.run(
          ["import", format, "set", "--output", "again", "--shard-size", "5"] + licence, in: folder
        ).code == 0)
      #expect(try contents(of: folder + "/again") == before)
      expectRefusal(
        try await Program.run(["import", format, "set", "--output", "again"], in: folder),
        code: 78, saying: "shard_size")
    }
  }

  @Test func whatIsMissingIsNamedAndTheAnswerIsNo() async throws {
    try await withFolder(inMemory: true) { folder in
      try SyntheticRun(isUniform: true).write(to: folder + "/run")
      #expect(
        try await Program.run(["export", "voc", "run", "--output", "set"], in: folder).code == 0)
      let root = folder + "/set/VOCdevkit/VOC2012/"
      try FileManager.default.removeItem(atPath: root + "JPEGImages/000000003.jpg")
      try FileManager.default.removeItem(atPath: root + "SegmentationClass/000000004.png")
      let outcome = try await Program.run(
        ["import", "voc", "set", "--output", "again"], in: folder)
      #expect(outcome.code == 1)
      #expect(outcome.errorLines.count == 2 && outcome.errorLines[0].contains("000000003.jpg"))
      #expect(outcome.errorLines[1].contains("000000004.png"))
      #expect(outcome.output.hasPrefix("20 of 22 pictures in again, 5 classes; 2 faults"))
      #expect(try await Program.run(["verify", "again"], in: folder).code == 0)
    }
  }

  @Test(arguments: [
    (["import", "yolo", "set", "--output", "run"], 64, "yolo"),
    (["import", "voc", "set"], 64, "--output"),
    (["import", "voc", "set", "--output", "run", "--images", "set"], 64, "--images"),
    (["import", "coco", "set", "--output", "run", "--classes", "x"], 64, "--classes"),
    (["import", "coco", "none", "--output", "run"], 66, "none"),
    (["import", "coco", "set", "--output", "run"], 65, "instances_*.json"),
    (["import", "coco", "set/broken.json", "--output", "run"], 65, "no COCO file"),
    (["import", "voc", "set", "--output", "run", "--shard-size", "0"], 64, "--shard-size"),
  ])
  func whatCannotBeReadIsRefused(arguments: [String], code: Int32, part: String) async throws {
    try await withFolder(inMemory: true) { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/set", withIntermediateDirectories: false)
      try "{\"images\":[".write(
        toFile: folder + "/set/broken.json", atomically: false, encoding: .utf8)
      expectRefusal(try await Program.run(arguments, in: folder), code: code, saying: part)
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
    }
  }
}
