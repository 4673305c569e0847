import CanonicalJSON
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

struct RunContentsTests {
  @Test func everySampleIsReadWithItsFiles() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    let contents = try RunContents.open(path: folder["run"])
    #expect(contents.configuration["seed"] == "7" && contents.classes.entries == run.classes)
    #expect(contents.layout == run.layout && contents.missingShards.isEmpty)
    #expect(contents.sampleCount == 5 && contents.numerics == "portable")
    #expect(try contents.ownRules() == run.rules)
    var next = 0
    try contents.forEachSample { sample in
      #expect(sample.record == (try run.record(next)))
      #expect(sample.isAccepted == (next != 3) && sample.shard == next / 2)
      #expect(try contents.image(of: sample) == run.image(next))
      #expect(try contents.mask(of: sample) == run.mask(next))
      let bytes = try contents.imageBytes(of: sample)
      #expect(try Data(contentsOf: URL(fileURLWithPath: sample.imagePath)) == Data(bytes))
      #expect(FileManager.default.fileExists(atPath: try #require(sample.maskPath)))
      next += 1
    }
    #expect(next == 5)
  }

  @Test func anUnfinishedRunHasTheShardsThatAreDone() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"], shards: [2])
    let opened = try run.open(folder["run"])
    try run.add(0, to: try opened.openShard(0))
    // No lock is asked for: it is in use.
    let contents = try RunContents.open(path: folder["run"])
    #expect(contents.shards.map(\.number) == [2] && contents.missingShards == [0, 1])
    #expect(contents.sampleCount == 1)
    try opened.close()
  }

  @Test func damageIsAnErrorAndNotALoss() throws {
    for (file, text) in [
      ("run.json", "{}"), ("run.json", "{"), ("classes.tsv", "x"), ("classes.tsv", ""),
      ("shards/00001/DONE", ""), ("shards/00001/records.jsonl", ""),
      ("shards/00001/images/000000002.png", "x"), ("shards/00001/masks/000000002.png", "x"),
    ] {
      let folder = try TemporaryFolder(inMemory: true)
      var run = SmallRun()
      try run.make(folder["run"])
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder["run/" + file]))
      let error = code {
        let contents = try RunContents.open(path: folder["run"])
        try contents.forEachSample { sample in
          _ = try contents.image(of: sample)
          _ = try contents.mask(of: sample)
        }
      }
      #expect(error == .malformed, "\(file) \(text)")
    }
    let folder = try TemporaryFolder(inMemory: true)
    #expect(code { _ = try RunContents.open(path: folder.path) } == .missing)
    #expect(code { _ = try RunContents.open(path: folder["no"]) } == .missing)
  }

  @Test func anotherRunsShardIsRefused() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var (run, other) = (SmallRun(), SmallRun())
    other.steps = 3
    try run.make(folder["run"])
    try other.make(folder["other"])
    try FileManager.default.removeItem(atPath: folder["run/shards/00001"])
    try FileManager.default.copyItem(
      atPath: folder["other/shards/00001"], toPath: folder["run/shards/00001"])
    #expect(code { _ = try RunContents.open(path: folder["run"]) } == .malformed)
  }
}
