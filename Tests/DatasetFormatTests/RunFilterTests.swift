import CanonicalJSON
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

struct RunFilterTests {
  private func run(_ folder: TemporaryFolder) throws -> String {
    var run = SmallRun()
    try run.make(folder["run"])
    return folder["run"]
  }

  private func decisions(_ path: String) throws -> [[String]] {
    var reasons: [[String]] = []
    try RunContents.open(path: path).forEachSample { reasons.append($0.record.reasons) }
    return reasons
  }

  private var strict: FilterRules {
    var rules = SmallRun().rules
    rules.entities.minArea = 0.3
    return rules
  }

  @Test func otherRulesDecideAnewAndChangeNoShard() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let path = try run(folder)
    let before = try contents(path)
    let own: [[String]] = [[], [], [], ["presence:dog", "confidence:dog"], []]
    #expect(try decisions(path) == own)
    let tally = try RunFilter.apply(strict, toRunAt: path)
    #expect(tally.samples == 5 && tally.accepted == 2)
    #expect(tally.rejectedByReason == ["area:dog": 3, "presence:dog": 1, "confidence:dog": 1])
    #expect(tally.classes["dog"]?.images == 5 && tally.classes["dog"]?.rate == 0.4)
    #expect(try decisions(path).map(\.isEmpty) == [true, true, false, false, false])
    var after = try contents(path)
    #expect(after.removeValue(forKey: "filter.json") != nil)
    #expect(after == before)
    #expect(try RunVerifier.faults(inRunAt: path).isEmpty)
    // The run's own rules, however they are given, leave nothing behind.
    for rules in [SmallRun().rules, nil] {
      _ = try RunFilter.apply(strict, toRunAt: path)
      #expect(try RunFilter.apply(rules, toRunAt: path).accepted == 4)
      #expect(try contents(path) == before)
      #expect(try decisions(path) == own)
    }
  }

  @Test func samplesMadeLaterAreDecidedByTheNewRulesToo() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"], shards: [1])
    #expect(try RunFilter.apply(strict, toRunAt: folder["run"]).samples == 2)
    try run.make(folder["run"])
    #expect(try decisions(folder["run"]).map(\.isEmpty) == [true, true, false, false, false])
    #expect(try RunVerifier.faults(inRunAt: folder["run"]).isEmpty)
  }

  @Test func aBoundOnWhatWasNotMeasuredIsRefused() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let path = try run(folder)
    let before = try contents(path)
    var rules = FilterRules()
    rules.entities.minAgreement = 0.5
    #expect(code { _ = try RunFilter.apply(rules, toRunAt: path) } == .malformed)
    rules = FilterRules()
    rules.classes["cat"] = EntityRules()
    #expect(throws: FilterRules.Fault.self) { _ = try RunFilter.apply(rules, toRunAt: path) }
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      _ = try RunFilter.apply(strict, toRunAt: path) { _ in throw Stop() }
    }
    #expect(try contents(path) == before)
  }

  @Test func aFolderInUseIsLeftAlone() throws {
    let folder = try TemporaryFolder(inMemory: true)
    let path = try run(folder)
    let opened = try SmallRun().open(path)
    #expect(code { _ = try RunFilter.apply(strict, toRunAt: path) } == .lockHeld)
    try opened.close()
    #expect(code { _ = try RunFilter.apply(strict, toRunAt: folder["nothing"]) } == .missing)
  }

  @Test(arguments: FailingFileSystem.Manner.allCases, [ENOSPC, EIO])
  func whateverOperationFailsTheOldOrTheNewRulesHold(
    _ manner: FailingFileSystem.Manner, _ number: Int32
  ) throws {
    let folder = try TemporaryFolder(inMemory: true)
    let path = try run(folder)
    let old = try decisions(path)
    _ = try RunFilter.apply(strict, toRunAt: path)
    let new = try decisions(path)
    var operation = 1
    while true {
      _ = try RunFilter.apply(nil, toRunAt: path)
      let files = try FailingFileSystem(
        root: path, failing: operation, manner: manner, errno: number)
      do {
        _ = try RunFilter.apply(strict, toRunAt: path, fileSystem: files)
        if !files.hasFailed { break }
        #expect(try decisions(path) == new)
      } catch let error as DatasetError {
        #expect(error.code == (number == EIO ? .io : .diskFull))
        let found = try decisions(path)
        #expect(found == old || found == new, "operation \(operation)")
      }
      operation += 1
    }
    #expect(operation > 15)
  }

  @Test(arguments: [
    "", "{}", "{\"rules\":{},\"configuration_sha256\":\"x\"}", "{\"rules\":3}", "[",
  ])
  func aBrokenFileOfRulesIsAFaultAndNotReadOver(_ text: String) throws {
    let folder = try TemporaryFolder(inMemory: true)
    let path = try run(folder)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/filter.json"))
    #expect(code { _ = try RunContents.open(path: path) } == .malformed)
    #expect(try RunVerifier.faults(inRunAt: path).map(\.file) == ["filter.json"])
  }
}
