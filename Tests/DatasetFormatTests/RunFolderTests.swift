import CanonicalJSON
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

struct RunFolderTests {
  @Test func anotherConfigurationIsRefusedWithItsKeys() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    let before = try contents(folder["run"])
    run.steps = 50
    run.extra = [.init("model", ["sha256": "cd"]), .init("eta", 0.5)]
    do {
      try run.make(folder["run"])
      Issue.record("expected an error")
    } catch let error as DatasetError {
      #expect(error.code == .configurationDiffers && error.code.exitStatus == 78)
      for part in [
        "steps is 25 in the folder and 50 now", "model.sha256 is \"ab\" in the folder",
        "eta is absent in the folder and 0.5 now",
      ] { #expect(error.message.contains(part)) }
      #expect(!error.message.contains("seed"))
    }
    #expect(try contents(folder["run"]) == before)
  }

  @Test func theOrderOfKeysIsNoDifference() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    let members = try #require(run.configuration.members)
    try RunFolder.open(
      path: folder["run"], configuration: .object(members.reversed()),
      classes: ClassTable(run.classes), layout: run.layout, numerics: "portable"
    ).close()
    #expect(run.made == [0, 1, 2, 3, 4])
  }

  @Test func otherClassesAreRefused() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    run.classes.append(ClassTable.Entry(id: 4, name: "cat"))
    #expect(code { try run.make(folder["run"]) } == .configurationDiffers)
  }

  @Test func aBrokenConfigurationFileIsRefused() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    let path = folder["run/run.json"]
    try Data("{\"seed\":".utf8).write(to: URL(fileURLWithPath: path))
    #expect(code { try run.make(folder["run"]) } == .malformed)
    try FileManager.default.removeItem(atPath: path)
    #expect(code { try run.make(folder["run"]) } == .missing)
  }

  @Test func aSecondWriterIsRefusedAndAStaleLockIsTakenOver() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let run = SmallRun()
    let first = try run.open(folder["run"])
    #expect(code { _ = try run.open(folder["run"]) } == .lockHeld)
    #expect(code { _ = try run.open(folder["run"], access: .shared) } == .lockHeld)
    try first.close()
    for text in ["999999999 boot/1", "1 another-boot/1", "", "no number", "-1 -1"] {
      try FileManager.default.createDirectory(
        atPath: folder["run/partial"], withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder["run/partial/lock"]))
      try run.open(folder["run"]).close()
    }
    #expect(!FileManager.default.fileExists(atPath: folder["run/partial"]))
  }

  @Test func sharedWritersExcludeEachOtherFromAShard() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let run = SmallRun()
    let (first, second) = (
      try run.open(folder["run"], access: .shared), try run.open(folder["run"], access: .shared)
    )
    #expect(code { _ = try run.open(folder["run"]) } == .lockHeld)
    let writer = try first.openShard(0)
    #expect(code { _ = try second.openShard(0) } == .lockHeld)
    _ = try second.openShard(1)
    writer.abandon()
    _ = try second.openShard(0)
  }

  @Test func placesWhereNothingCanBeMadeAreRefused() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try Data().write(to: URL(fileURLWithPath: folder["file"]))
    var run = SmallRun()
    for path in [folder["file/run"], folder["file"], "/proc/run", "/dev/full/run", "", "a\u{0}b"] {
      #expect(code { try run.make(path) } == .cannotCreate, "\(path)")
    }
    #expect(run.made.isEmpty)
  }

  @Test(arguments: ["run.json", "classes.tsv", "partial", "shards", "partial/lock"])
  func linksAreNotFollowedAtTheNamesOfARun(_ name: String) throws {
    let folder = try TemporaryFolder(inMemory: true)
    for target in ["outside", "nowhere"] {
      let path = folder["run-\(target)"]
      try FileManager.default.createDirectory(
        atPath: path + (name.hasPrefix("partial/") ? "/partial" : ""),
        withIntermediateDirectories: true)
      try FileManager.default.createDirectory(
        atPath: folder["outside"], withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: "\(path)/\(name)", withDestinationPath: folder[target])
      var run = SmallRun()
      #expect(code { try run.make(path) } != nil, "\(name)")
      #expect(try contents(folder["outside"]).isEmpty)
      #expect(!FileManager.default.fileExists(atPath: folder["nowhere"]))
    }
  }

  @Test func linksAreNotFollowedAtAShardsNames() throws {
    let folder = try TemporaryFolder(inMemory: true)
    try FileManager.default.createDirectory(
      atPath: folder["outside"], withIntermediateDirectories: true)
    try Data("kept".utf8).write(to: URL(fileURLWithPath: folder["outside/file"]))
    let before = try contents(folder["outside"])
    for name in ["shards/00000", "partial/journal-00000"] {
      var run = SmallRun()
      let path = folder["run-" + name.suffix(5) + "\(name.count)"]
      let opened = try run.open(path)
      try FileManager.default.createSymbolicLink(
        atPath: "\(path)/\(name)", withDestinationPath: folder["outside"])
      #expect(code { _ = try opened.openShard(0) } == .cannotCreate)
      #expect(run.made.isEmpty)
      run.made = []
    }
    // A link that comes while the shard is being made.
    var run = SmallRun()
    let opened = try run.open(folder["late"])
    let writer = try opened.openShard(0)
    for index in writer.missing { try run.add(index, to: writer) }
    try FileManager.default.createSymbolicLink(
      atPath: folder["late/shards/00000"], withDestinationPath: folder["outside"])
    #expect(code { try writer.commit() } == .cannotCreate)
    #expect(try contents(folder["outside"]) == before)
    try FileManager.default.removeItem(atPath: folder["late/shards/00000"])
    try writer.commit()
    try opened.close()
  }

  @Test func aDoneRecordThatLeadsElsewhereDoesNotCount() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    let path = folder["run/shards/00000/DONE"]
    let url = URL(fileURLWithPath: path)
    let text = try String(contentsOf: url, encoding: .utf8)
    let opened = try run.open(folder["run"])
    for (old, new) in [
      ("images/000000000.png", "../../run.json"), ("images/000000000.png", "images/000000002.png"),
      ("\"samples\": 2", "\"samples\": 1"), ("\"size\"", "\"bytes\""), ("portable", "avx2"),
      ("\"shard\": 0", "\"shard\": 1"), ("{", ""), ("\"accepted\": 2", "\"accepted\": 3"),
    ] {
      try Data(text.replacing(old, with: new, maxReplacements: 1).utf8).write(to: url)
      guard case .open = try opened.state(ofShard: 0) else {
        Issue.record("\(new) was accepted")
        continue
      }
    }
  }

  @Test func picturesCarryTheirRecords() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    for name in ["images", "masks"] {
      let file = folder["run/shards/00001/\(name)/000000003.png"]
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
      let text = try #require(
        name == "masks" ? PNGCodec.decodeMask(bytes).record : PNGCodec.decodeImage(bytes).record)
      #expect(try SampleRecord(line: text.utf8, path: file) == (try run.record(3)))
    }
    let done = try String(contentsOfFile: folder["run/shards/00001/DONE"], encoding: .utf8)
    #expect(done.contains("\"confidence:dog\": 1") && done.contains("\"accepted\": 1"))
  }

  @Test func theConfigurationIsWrittenCanonically() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    run.hasMasks = false
    try run.make(folder["run"])
    let text = try String(contentsOfFile: folder["run/run.json"], encoding: .utf8)
    #expect(text == run.configuration.canonicalText)
    #expect(!FileManager.default.fileExists(atPath: folder["run/shards/00000/masks"]))
  }
}
