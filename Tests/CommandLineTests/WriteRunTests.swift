import Foundation
import TestSupport
import Testing

/// Writes drawn runs for the checks that use other programs' loaders; .ci/check_exports.sh asks for them.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["TRIPTYCH_WRITE_RUNS"] != nil))
struct WriteRunTests {
  @Test func drawnRunsAreWritten() throws {
    let folder = try #require(ProcessInfo.processInfo.environment["TRIPTYCH_WRITE_RUNS"])
    let runs: [(String, SyntheticRun)] = [
      ("sixty", SyntheticRun(count: 66, shardSize: 20, promptSize: 1, isUniform: true)),
      ("one", SyntheticRun(count: 1, shardSize: 1)),
      ("awkward", SyntheticRun(count: 200, shardSize: 64, promptSize: 3)),
      ("classes", SyntheticRun(count: 40, shardSize: 40, classCount: 254, promptSize: 1)),
      ("many", SyntheticRun(count: 24, shardSize: 24, classCount: 300, promptSize: 1)),
    ]
    for (name, run) in runs {
      try run.write(to: "\(folder)/\(name)")
      #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)/classes.tsv"))
    }
  }
}
