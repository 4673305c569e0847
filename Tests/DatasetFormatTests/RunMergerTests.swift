import CanonicalJSON
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

struct RunMergerTests {
  /// Parts with some shards each, of a run of nine shards.
  private func parts(
    _ folder: TemporaryFolder, _ shards: [[Int]],
    change: (inout SmallRun, Int) -> Void = { _, _ in }
  ) throws -> [String] {
    try shards.enumerated().map { number, shards in
      var run = SmallRun()
      run.layout = RunLayout(sampleCount: 9, shardSize: 1)
      change(&run, number)
      try run.make(folder["part\(number)"], shards: shards)
      return folder["part\(number)"]
    }
  }

  private func whole() throws -> [String: Data] {
    let folder = try TemporaryFolder(inMemory: true)
    return try contents(try parts(folder, [Array(0..<9)])[0])
  }

  @Test(arguments: [RunMerger.Transfer.copy, .link])
  func partsMakeTheWholeRun(_ transfer: RunMerger.Transfer) throws {
    let folder = try TemporaryFolder(inMemory: true)
    let paths = try parts(folder, [[0, 3, 6], [1, 4, 7], [2, 5, 8]])
    let before = try paths.map(contents)
    let summary = try RunMerger.merge(paths, into: folder["all"], transfer: transfer)
    #expect(summary.shards == 9 && summary.added == 9 && summary.missing.isEmpty)
    #expect(summary.samples == 9 && summary.accepted == 8)
    #expect(try contents(folder["all"]) == (try whole()))
    #expect(try paths.map(contents) == before)
    #expect(try RunVerifier.faults(inRunAt: folder["all"]).isEmpty)
    let again = try RunMerger.merge(paths, into: folder["all"], transfer: transfer)
    #expect(again.added == 0 && again.shards == 9)
  }

  @Test func mergingIsAssociativeAndPartsMayOverlap() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let paths = try parts(folder, [[0, 1, 2, 3], [3, 4, 5], [5, 6, 7, 8]])
    _ = try RunMerger.merge([paths[0], paths[1]], into: folder["ab"])
    _ = try RunMerger.merge([folder["ab"], paths[2]], into: folder["ab-c"])
    let bc = try RunMerger.merge([paths[2], paths[1]], into: folder["bc"])
    #expect(bc.missing == [0, 1, 2])
    _ = try RunMerger.merge([paths[0], folder["bc"]], into: folder["a-bc"])
    // Into one of the parts.
    _ = try RunMerger.merge(paths, into: paths[1])
    for name in ["ab-c", "a-bc", "part1"] {
      #expect(try contents(folder[name]) == (try whole()), "\(name)")
    }
  }

  @Test func unlikePartsAreRefusedWithWhatDiffers() throws {
    let changes: [((inout SmallRun) -> Void, String)] = [
      ({ $0.steps = 26 }, "steps is 25 there and 26 here"),
      ({ $0.extra = [.init("model", ["sha256": "cd"])] }, "model.sha256"),
      ({ $0.rules.attempts = 2 }, "filters.attempts"),
      ({ $0.numerics = "avx2" }, "its numerics are avx2 here and portable there"),
      ({ $0.classes.append(.init(id: 4, name: "cat")) }, "classes.tsv"),
    ]
    for (change, part) in changes {
      let folder = try TemporaryFolder(inMemory: true)
      let paths = try parts(folder, [[0], [1]]) { if $1 == 1 { change(&$0) } }
      do {
        _ = try RunMerger.merge(paths, into: folder["all"])
        Issue.record("\(part) was merged")
      } catch let error as DatasetError {
        #expect(error.code == .configurationDiffers && error.message.contains(part))
        #expect(error.path == paths[1])
      }
      #expect(!FileManager.default.fileExists(atPath: folder["all"]))
    }
  }

  @Test func unlikeDecisionsAreRefusedAndLikeOnesTaken() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let paths = try parts(folder, [[0], [1]])
    _ = try RunFilter.apply(FilterRules(), toRunAt: paths[0])
    #expect(
      code { _ = try RunMerger.merge(paths, into: folder["all"]) } == .configurationDiffers)
    _ = try RunFilter.apply(FilterRules(), toRunAt: paths[1])
    _ = try RunMerger.merge(paths, into: folder["all"])
    #expect(try RunContents.open(path: folder["all"]).appliedRules == FilterRules())
    _ = try RunFilter.apply(nil, toRunAt: folder["all"])
    #expect(
      code { _ = try RunMerger.merge(paths, into: folder["all"]) } == .configurationDiffers)
  }

  @Test func aDamagedShardIsTakenFromAnotherPartOrNamed() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let paths = try parts(folder, [[0, 1], [1, 2]])
    let image = URL(fileURLWithPath: paths[0] + "/shards/00001/images/000000001.png")
    var bytes = try Data(contentsOf: image)
    bytes[50] ^= 1
    try bytes.write(to: image)
    let summary = try RunMerger.merge(paths, into: folder["all"])
    #expect(summary.shards == 3)
    #expect(try RunVerifier.faults(inRunAt: folder["all"]).isEmpty)
    do {
      _ = try RunMerger.merge([paths[0]], into: folder["one"])
      Issue.record("damage was merged")
    } catch let error as DatasetError {
      #expect(error.code == .malformed && error.path == image.path)
    }
    try FileManager.default.removeItem(at: image)
    #expect(code { _ = try RunMerger.merge([paths[0]], into: folder["two"]) } == .malformed)
    #expect(!FileManager.default.fileExists(atPath: folder["two/shards/00001"]))
  }

  @Test func shardsThatDifferAreRefused() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let paths = try parts(folder, [[0, 1], [1, 2]])
    // The same configuration with other pixels, as from a broken machine.
    var run = SmallRun()
    run.layout = RunLayout(sampleCount: 9, shardSize: 1)
    let opened = try run.open(folder["odd"])
    let writer = try opened.openShard(1)
    var image = try run.image(1)
    image[3, 3] = Colour(9, 9, 9)
    var record = try run.record(1)
    record.scores = .init(of: image)
    try writer.add(record, image: image, mask: try run.mask(1))
    try writer.commit()
    try opened.close()
    do {
      _ = try RunMerger.merge(paths + [folder["odd"]], into: folder["all"])
      Issue.record("unlike shards were merged")
    } catch let error as DatasetError {
      #expect(error.code == .malformed && error.message.contains("images/000000001.png"))
    }
    #expect(
      code { _ = try RunMerger.merge([paths[0]], into: folder["odd"]) } == .malformed)
  }

  @Test(arguments: FailingFileSystem.Manner.allCases, [ENOSPC, EIO])
  func whateverOperationFailsTheSameMergeEndsWithTheSameBytes(
    _ manner: FailingFileSystem.Manner, _ number: Int32
  ) throws {
    let source = try TemporaryFolder(inMemory: true)
    let paths = try parts(source, [[0], [1, 2]]) { run, _ in
      run.layout = RunLayout(sampleCount: 3, shardSize: 1)
    }
    let expected = try TemporaryFolder(inMemory: true)
    _ = try RunMerger.merge(paths, into: expected["all"])
    var operation = 1
    while true {
      let folder = try TemporaryFolder(inMemory: true)
      let files = try FailingFileSystem(
        root: folder.path, failing: operation, manner: manner, errno: number)
      do {
        _ = try RunMerger.merge(paths, into: folder.path, fileSystem: files)
        if !files.hasFailed { break }
      } catch let error as DatasetError {
        #expect(error.code == (number == EIO ? .io : .diskFull), "operation \(operation)")
      }
      _ = try RunMerger.merge(paths, into: folder.path)
      #expect(try contents(folder.path) == contents(expected["all"]), "operation \(operation)")
      operation += 1
    }
    #expect(operation > 60)
  }

  @Test func aMergeThatIsStoppedGoesOn() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let paths = try parts(folder, [[0, 1, 2, 3], [4, 5, 6, 7, 8]])
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      _ = try RunMerger.merge(paths, into: folder["all"]) { done, all in
        #expect(all == 9)
        if done == 4 { throw Stop() }
      }
    }
    #expect(try RunContents.open(path: folder["all"]).shards.count == 4)
    #expect(try RunMerger.merge(paths, into: folder["all"]).added == 5)
    #expect(try contents(folder["all"]) == (try whole()))
  }
}
