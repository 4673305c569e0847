import CanonicalJSON
import DatasetExports
import DatasetFormat
import Foundation
import TestSupport
import Testing

@Suite struct DatasetExportTests {
  private let both = ExportOptions(formats: [.coco, .voc])
  private let all = ExportOptions(formats: ExportFormat.allCases)

  @Test func theSameRunGivesTheSameBytesAgainAndAgain() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let run = SyntheticRun()
    try run.write(to: folder["run"])
    try run.write(to: folder["other"], shards: [3, 1, 0, 2])
    try folder.export("run", to: "one", all)
    let one = try folder.files("one")
    try folder.export("other", to: "two", all)
    #expect(try folder.files("two") == one)
    try folder.export("run", to: "one", all)
    #expect(try folder.files("one") == one)
    #expect(try folder.names() == ["one", "other", "run", "two"])
  }

  @Test func eachLayoutIsTheSameAloneAndWithOthers() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun().write(to: folder["run"])
    try folder.export("run", to: "all", all)
    let together = try folder.files("all")
    for format in ExportFormat.allCases {
      try folder.export("run", to: format.rawValue, .init(formats: [format]))
      let alone = try folder.files(format.rawValue)
      for (path, bytes) in alone where path != "manifest.json" && path != "README.md" {
        #expect(together[path] == bytes, "\(path)")
      }
    }
  }

  @Test func theManifestListsEveryFileWithItsHash() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun().write(to: folder["run"])
    let summary = try folder.export("run", to: "set", all)
    let files = try folder.files("set")
    let manifest = try files.json("manifest.json")
    #expect(Array(manifest.canonicalText.utf8) == (try files.bytes("manifest.json")))
    let listed = try #require(manifest["files"]?.elements)
    #expect(
      listed.compactMap { $0["path"]?.string }
        == files.keys.filter { $0 != "manifest.json" }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    for file in listed {
      let bytes = try files.bytes(try #require(file["path"]?.string))
      #expect(file["size"]?.integer == bytes.count)
      #expect(file["sha256"]?.string == ContentHash.sha256(bytes))
    }
    #expect(summary.files == files.count)
    #expect(summary.bytes == files.values.reduce(0) { $0 + $1.count })
    #expect(manifest["licence"] == "unspecified")
  }

  @Test func samplesWithOnePromptStayTogether() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun(count: 60, promptSize: 4).write(to: folder["run"])
    try folder.export("run", to: "set", both)
    let files = try folder.files("set")
    var splits: [String: Set<String>] = [:]
    let lines = try files.lines("samples.jsonl").map { try JSONValue.parse(Array($0.utf8)) }
    for line in lines {
      splits[try #require(line["prompt"]?.string), default: []].insert(
        try #require(line["split"]?.string))
    }
    #expect(splits.count == 15)
    #expect(splits.values.allSatisfy { $0.count == 1 })
    #expect(Set(splits.values.flatMap { $0 }) == ["train", "val", "test"])
  }

  @Test func theCardSaysWhatAReaderNeeds() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun().write(to: folder["run"])
    try folder.export("run", to: "set", both)
    let card = try folder.files("set").text("README.md")
    #expect(card.hasPrefix("---\nlicense: other\nlicense_name: \"unspecified\"\n"))
    for part in [
      "- n<1K\n", "- image-segmentation\n", "- machine-generated\n", "- synthetic\n",
      "| 3 | \u{732b} \\& \\<cat\\> |", "openrail \\| \"as is\"", "2 of them (8.3 %) rejected",
      "| area | 2 |", "a photo of {object}, \\<b\\>", "`model.files.unet` | ab12",
    ] {
      #expect(card.contains(part), "\(part)")
    }
    try folder.export("run", to: "set", .init(formats: [.voc], licence: "CC-BY-4.0"))
    let other = try folder.files("set")
    #expect(try other.text("README.md").contains("license_name: \"CC-BY-4.0\""))
    #expect(try other.text("LICENSE").hasPrefix("Licence of this data set: CC-BY-4.0\n"))
    #expect(try other.lines("classes.txt").count == 5)
    #expect(try other.text("classes.tsv").hasPrefix("1\tdog\thound\t"))
  }

  @Test func runsWithNothingToExportAreRefusedInOneLine() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var bare = SyntheticRun(count: 3, shardSize: 3)
    bare.hasMasks = false
    try bare.write(to: folder["bare"])
    try SyntheticRun(count: 3, shardSize: 1).write(to: folder["empty"], shards: [])
    for (run, problem) in [("bare", "accepted samples has a mask"), ("empty", "no shard")] {
      #expect {
        try folder.export(run, to: "set", both)
      } throws: { error in
        (error as? ExportError)?.code == .malformed && "\(error)".contains(problem)
          && !"\(error)".contains("\n")
      }
    }
    #expect(try folder.names() == ["bare", "empty"])
  }

  @Test func anUnfinishedRunIsExportedAsFarAsItIs() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try SyntheticRun().write(to: folder["run"], shards: [1, 3])
    let export = try DatasetExport(RunContents.open(path: folder["run"]), options: both)
    #expect(export.notes.contains { $0.contains("2 shards of the run are not finished (0,2)") })
    #expect(export.plan.entries.map(\.index) == [7, 8, 9, 10, 11, 12, 13, 21, 22, 23])
  }

  @Test func aMaskWithAnUnknownClassIsNamedAndNothingStays() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SyntheticRun(count: 5, shardSize: 5, isUniform: true)
    run.strayClass = 99
    try run.write(to: folder["run"])
    #expect {
      try folder.export("run", to: "set", both)
    } throws: { error in
      "\(error)".contains("masks/000000004.png") && "\(error)".contains("not in classes.tsv")
    }
    #expect(try folder.names() == ["run"])
  }
}
