import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

struct InterruptionTests {
  private func undisturbed() throws -> [String: Data] {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    return try contents(folder["run"])
  }

  @Test func aRunHasTheFilesOfTheFormatAndNoOthers() throws {
    let names = try undisturbed().keys.sorted()
    var expected = ["classes.tsv", "run.json", "shards"]
    for (shard, indices) in [[0, 1], [2, 3], [4]].enumerated() {
      let folder = "shards/0000\(shard)"
      expected += [folder, folder + "/DONE", folder + "/images", folder + "/masks"]
      expected.append(folder + "/records.jsonl")
      for index in indices {
        expected += [
          folder + "/images/00000000\(index).png", folder + "/masks/00000000\(index).png",
        ]
      }
    }
    #expect(names == expected.sorted())
  }

  @Test(arguments: FailingFileSystem.Manner.allCases, [ENOSPC, EIO, EDQUOT])
  func whateverOperationFailsTheNextRunEndsWithTheSameBytes(
    _ manner: FailingFileSystem.Manner, _ number: Int32
  ) throws {
    let expected = try undisturbed()
    var operation = 1
    while true {
      let folder = try TemporaryFolder(inMemory: true)
      // There already: making it would wait for the disk.
      let path = folder.path
      let files = try FailingFileSystem(
        root: path, failing: operation, manner: manner, errno: number)
      var run = SmallRun()
      do {
        try run.make(path, files: files)
        if !files.hasFailed { break }
        // A clean-up that failed was left to the next run.
      } catch let error as DatasetError {
        #expect(error.code == (number == EIO ? .io : .diskFull), "operation \(operation): \(error)")
      }
      var again = SmallRun()
      try again.make(path, files: try FailingFileSystem(root: path))
      let found = try contents(path)
      #expect(found == expected, "operation \(operation)")
      #expect(Set(run.made).intersection(again.made).count <= 1, "at most one sample made twice")
      operation += 1
    }
    print("\(manner) errno \(number): \(operation - 1) operations failed one by one")
    #expect(operation > 150)
  }

  @Test func aSecondFailureDuringTheRepairChangesNothing() throws {
    let expected = try undisturbed()
    for first in stride(from: 11, to: 240, by: 9) {
      for second in stride(from: 3, to: 200, by: 17) {
        let folder = try TemporaryFolder(inMemory: true)
        let path = folder.path
        for operation in [first, second] {
          let files = try FailingFileSystem(
            root: path, failing: operation, manner: .forever, errno: EIO)
          var run = SmallRun()
          _ = Result { try run.make(path, files: files) }
        }
        var run = SmallRun()
        try run.make(path, files: try FailingFileSystem(root: path))
        #expect(try contents(path) == expected, "operations \(first) and \(second)")
      }
    }
  }

  @Test func finishedSamplesOfAnOpenShardAreNotMadeAgain() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    run.layout = RunLayout(sampleCount: 5, shardSize: 5)
    do {
      let opened = try run.open(folder["run"])
      let writer = try opened.openShard(0)
      #expect(writer.missing == [0, 1, 2, 3, 4])
      try run.add(3, to: writer)
      try run.add(1, to: writer)
      #expect(writer.missing == [0, 2, 4])
    }
    let opened = try run.open(folder["run"])
    let writer = try opened.openShard(0)
    #expect(writer.missing == [0, 2, 4])
    #expect(writer.records == [try run.record(1), try run.record(3)])
  }

  @Test func damagedSamplesOfTheJournalAreMadeAgain() throws {
    for change in 0..<6 {
      let folder = try TemporaryFolder(inMemory: true)
      var run = SmallRun()
      try { try run.add(0, to: try run.open(folder["run"]).openShard(0)) }()
      let journal = folder["run/partial/journal-00000"]
      let image = URL(fileURLWithPath: journal + "/000000000.image.png")
      let entry = URL(fileURLWithPath: journal + "/000000000.json")
      switch change {
      case 0: try FileManager.default.removeItem(at: image)
      case 1: try Data(try Data(contentsOf: image).dropLast()).write(to: image)
      case 2: try Data("{".utf8).write(to: entry)
      case 3: try Data().write(to: entry)
      case 4:
        try FileManager.default.removeItem(at: image)
        try FileManager.default.createSymbolicLink(
          atPath: image.path, withDestinationPath: "/dev/zero")
      default:
        try FileManager.default.removeItem(at: entry)
        try FileManager.default.createDirectory(at: entry, withIntermediateDirectories: false)
      }
      var again = SmallRun()
      try again.make(folder["run"])
      #expect(again.made == [0, 1, 2, 3, 4], "change \(change)")
      #expect(try contents(folder["run"]) == (try undisturbed()), "change \(change)")
    }
  }

  @Test func aFileSystemWithoutSecondNamesGivesTheSameBytes() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"], files: try LinklessFileSystem(root: folder["run"]))
    #expect(try contents(folder["run"]) == (try undisturbed()))
  }

  @Test func orderOfSamplesAndShardsDoesNotShow() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    let opened = try run.open(folder["run"], access: .shared)
    let other = try run.open(folder["run"], access: .shared)
    for shard in [2, 0, 1] {
      let writer = try (shard == 0 ? other : opened).openShard(shard)
      for index in writer.missing.reversed() { try run.add(index, to: writer) }
      try writer.commit()
    }
    try opened.close()
    try other.close()
    #expect(try contents(folder["run"]) == (try undisturbed()))
  }

  @Test func damagedShardsAreFoundAndMadeAgain() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    let image = URL(fileURLWithPath: folder["run/shards/00001/images/000000002.png"])
    var bytes = try Data(contentsOf: image)
    bytes[40] ^= 1
    try bytes.write(to: image)
    let opened = try run.open(folder["run"])
    guard case .done = try opened.state(ofShard: 1) else {
      Issue.record("sizes are as they were")
      return
    }
    guard case .open(let reason) = try opened.state(ofShard: 1, rehashing: true) else {
      Issue.record("the hash differs")
      return
    }
    #expect(reason.contains("000000002.png"))
    try opened.close()
    try Data().write(to: image)
    try FileManager.default.removeItem(atPath: folder["run/shards/00002/DONE"])
    try run.make(folder["run"])
    #expect(try contents(folder["run"]) == (try undisturbed()))
  }
}
