import CanonicalJSON
import DatasetFormat
import Foundation
import Imaging
import TestSupport
import Testing

struct VerifierTests {
  @Test func aWholeRunHasNoFaults() throws {
    for hasMasks in [false, true] {
      let folder = try TemporaryFolder(inMemory: true)
      var run = SmallRun()
      run.hasMasks = hasMasks
      try run.make(folder["run"])
      #expect(try RunVerifier.faults(inRunAt: folder["run"]).isEmpty)
    }
  }

  @Test func everyChangedByteOfAShardIsFound() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    run.layout = RunLayout(sampleCount: 1, shardSize: 1)
    try run.make(folder["run"])
    let files = try contents(folder["run"]).filter { !$0.value.isEmpty }
    #expect(files.count == 6)
    for (name, bytes) in files {
      let url = URL(fileURLWithPath: folder["run/" + name])
      // The fingerprint of the arithmetic stands nowhere else in the folder.
      let free = bytes.range(of: Data("portable".utf8)) ?? 0..<0
      for position in stride(from: 0, to: bytes.count, by: 5) where !free.contains(position) {
        var changed = bytes
        changed[position] ^= 1
        try changed.write(to: url)
        #expect(!(try RunVerifier.faults(inRunAt: folder["run"])).isEmpty, "\(name) \(position)")
      }
      try bytes.write(to: url)
    }
    #expect(try RunVerifier.faults(inRunAt: folder["run"]).isEmpty)
  }

  @Test func filesThatAreMissingOrTooManyAreFound() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"])
    let files = try contents(folder["run"]).filter { !$0.value.isEmpty }
    for (name, bytes) in files {
      let path = folder["run/" + name]
      try FileManager.default.removeItem(atPath: path)
      #expect(!(try RunVerifier.faults(inRunAt: folder["run"])).isEmpty, "\(name)")
      try bytes.write(to: URL(fileURLWithPath: path))
    }
    for name in ["shards/00000/x", "shards/00000/images/x.png", "shards/x", "shards/0"] {
      let path = folder["run/" + name]
      try Data().write(to: URL(fileURLWithPath: path))
      #expect(try RunVerifier.faults(inRunAt: folder["run"]).count == 1, "\(name)")
      try FileManager.default.removeItem(atPath: path)
    }
    #expect(code { _ = try RunVerifier.faults(inRunAt: folder["nothing"]) } == .missing)
  }

  @Test func idsThatNoClassHasAreFound() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    run.classes = [ClassTable.Entry(id: 4, name: "cat")]
    try run.make(folder["run"])
    let faults = try RunVerifier.faults(inRunAt: folder["run"])
    #expect(faults.count { $0.problem == "the id 3 is not in classes.tsv" } == 5)
    #expect(faults.count { $0.problem.contains("with the id 3 is not in classes.tsv") } == 5)
    #expect(faults.count == 10)
  }

  @Test func whatDoesNotFollowIsFound() throws {
    let mistakes: [(@Sendable (inout SampleRecord) -> Void, String)] = [
      ({ $0.entities[0].area += 1.0 / 35 }, "\"dog\" covers "),
      ({ $0.entities[0].parts += 1 }, "\"dog\" falls in "),
      ({ $0.entities[0].touchesBorder.toggle() }, "the border, the record says otherwise"),
      ({ $0.entities[0].name = "cat" }, "\"cat\" with the id 3 is not in classes.tsv"),
      ({ $0.entities = [] }, "the id 3 is of no entity"),
      ({ $0.entities[0].isPresent = false }, "the id 3 is of no entity"),
      ({ $0.reasons.append("area:dog") }, "area:dog, the run's rules give"),
      ({ $0.reasons = ["flat"] }, "its reasons are flat"),
      ({ $0.scores.brightness += 0.001 }, "its brightness, contrast"),
      ({ $0.scores.hash = PictureHash(bits: ~$0.scores.hash.bits) }, "clipping or hash is not"),
      ({ $0.scores.isFinite = false }, "the run's rules give not-finite"),
      (
        { record in
          let attempt = SampleRecord.RejectedAttempt(
            attempt: 0, seed: 1, reasons: ["flat"], entities: [], scores: record.scores)
          record = SampleRecord(
            index: record.index, hasMask: true, prompt: "", seed: 1, attempt: 1, steps: 1,
            guidance: 1, scheduler: "ddim", width: 7, height: 5, reasons: record.reasons,
            entities: record.entities, scores: record.scores, rejectedAttempts: [attempt])
        }, "attempt 1, but the run's rules allow 1"
      ),
    ]
    for (mistake, part) in mistakes {
      let folder = try TemporaryFolder(inMemory: true)
      var run = SmallRun()
      run.layout = RunLayout(sampleCount: 1, shardSize: 1)
      run.mistake = mistake
      try run.make(folder["run"])
      let faults = try RunVerifier.faults(inRunAt: folder["run"])
      #expect(faults.contains { $0.problem.contains(part) }, "\(part): \(faults)")
    }
  }

  @Test func seedsFollowFromTheRunsOwn() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    run.extra = [.init("sampling", [:])]
    try run.make(folder["run"])
    func faults(_ offset: UInt64) throws -> [RunVerifier.Fault] {
      try RunVerifier.check(runAt: folder["run"]) { seed, index, attempt in
        #expect(seed == 7 && attempt == 0)
        return UInt64.max - UInt64(index) - offset
      }.faults
    }
    #expect(try faults(0).isEmpty)
    #expect(try faults(1).count == 5)
    #expect(try faults(1).allSatisfy { $0.problem.contains("the seed is") })
  }

  @Test func anUnfinishedRunIsWholeAndSaysWhatIsMissing() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"], shards: [1])
    let report = try RunVerifier.check(runAt: folder["run"])
    #expect(report.faults.isEmpty && report.shards == 1 && report.samples == 2)
    #expect(report.missing == [0, 2])
  }

  @Test func shardsOfOtherRunsAreFound() throws {
    let changes: [((inout SmallRun) -> Void, String)] = [
      ({ $0.steps = 26 }, "is of another run.json"),
      ({ $0.classes.append(.init(id: 9, name: "cat")) }, "is of another classes.tsv"),
      ({ $0.numerics = "avx2" }, "was made with "),
    ]
    for (change, part) in changes {
      let folder = try TemporaryFolder(inMemory: true)
      var (run, other) = (SmallRun(), SmallRun())
      change(&other)
      try run.make(folder["run"], shards: [0, 2])
      try other.make(folder["other"], shards: [1])
      try FileManager.default.moveItem(
        atPath: folder["other/shards/00001"], toPath: folder["run/shards/00001"])
      let faults = try RunVerifier.faults(inRunAt: folder["run"])
      #expect(faults.contains { $0.problem.contains(part) }, "\(part): \(faults)")
    }
  }

  @Test func aShardInAnothersPlaceIsFound() throws {
    let folder = try TemporaryFolder(inMemory: true)
    var run = SmallRun()
    try run.make(folder["run"], shards: [0])
    for name in ["00001", "00003"] {
      try FileManager.default.copyItem(
        atPath: folder["run/shards/00000"], toPath: folder["run/shards/" + name])
      #expect(!(try RunVerifier.faults(inRunAt: folder["run"])).isEmpty)
      try FileManager.default.removeItem(atPath: folder["run/shards/" + name])
    }
    #expect(try RunVerifier.faults(inRunAt: folder["run"]).isEmpty)
  }
}
