import ArgumentParser
import CanonicalJSON
import DatasetFormat
import Generation

/// `triptych verify`: says whether a run folder is whole.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks every hash and everything that follows from something else in a run folder.",
    discussion: """
      Changes nothing. Exit code 1 where there are faults, one line a fault; shards that are not made yet are none. \
      The run's own command makes a damaged shard again once its DONE is removed.
      """)

  @Argument(help: ArgumentHelp("The run folder.", valueName: "run"))
  var folder: String

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func run() throws {
    let report = try RunVerifier.check(
      runAt: folder,
      seedRule: { SampleSeed.derive(run: $0, index: UInt64($1), attempt: UInt64($2)) },
      watch: { _ in try Interruption.check(folder) })
    let missing = ShardSelection.text(report.missing)
    var lines = report.faults.map { Console.oneLine("\($0)") }
    lines.append(
      (report.faults.isEmpty ? "whole" : "\(report.faults.count) fault(s)")
        + ": \(report.shards) shard(s), \(report.samples) samples in \(folder)")
    if !missing.isEmpty { lines.append("not made yet: shards \(missing)") }
    try runtime.finish(
      [
        .init("ok", .bool(report.faults.isEmpty)),
        .init(
          "faults",
          .array(report.faults.map { ["file": .string($0.file), "problem": .string($0.problem)] })),
        .init("shards", .integer(Int64(report.shards))),
        .init("samples", .integer(Int64(report.samples))),
        .init("missing_shards", .string(missing)),
      ], text: lines.joined(separator: "\n"))
    if !report.faults.isEmpty { throw ExitCode(ExitCodes.answerIsNo) }
  }
}
