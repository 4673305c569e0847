import DatasetFormat
import Foundation
import Testing

struct VerifierTests {
  @Test func aWholeRunHasNoFaults() throws {
    for hasMasks in [false, true] {
      let folder = try TemporaryFolder()
      var run = SmallRun()
      run.hasMasks = hasMasks
      try run.make(folder["run"])
      #expect(try RunVerifier.faults(inRunAt: folder["run"]).isEmpty)
    }
  }

  @Test func everyChangedByteOfAShardIsFound() throws {
    let folder = try TemporaryFolder()
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
    let folder = try TemporaryFolder()
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
    let folder = try TemporaryFolder()
    var run = SmallRun()
    run.classes = [ClassTable.Entry(id: 4, name: "cat")]
    try run.make(folder["run"])
    let faults = try RunVerifier.faults(inRunAt: folder["run"])
    #expect(faults.count { $0.problem == "the id 3 is not in classes.tsv" } == 5)
    #expect(faults.count { $0.problem.contains("with the id 3 is not in classes.tsv") } == 5)
    #expect(faults.count == 10)
  }
}
