import ArgumentParser
import CanonicalJSON
import DatasetFormat

/// `triptych merge`: parts of one run become one folder.
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Joins run folders that hold different shards of one run.",
    discussion: """
      Parts must have the same run.json, classes and numerics; shards that several parts hold must be equal. Every \
      file is compared with its hash on the way. Stopped at any time, the same command goes on.
      """)

  @Argument(help: ArgumentHelp("The parts.", valueName: "run"))
  var runs: [String]

  @Option(name: .long, help: ArgumentHelp("The run folder to fill.", valueName: "folder"))
  var output: String

  @Flag(
    name: .long,
    help: "Give files a second name instead of copying them, where the file system can.")
  var link = false

  @OptionGroup(title: "Running") var runtime: RuntimeOptions

  func validate() throws {
    for path in runs + [output] where path.isEmpty {
      throw ValidationError("a folder's name is empty")
    }
  }

  func run() throws {
    let reporter = ProgressReporter(total: 0, unit: "shard")
    let summary = try RunMerger.merge(runs, into: output, transfer: link ? .link : .copy) {
      done, all in
      try Interruption.check(output, reporter)
      reporter.update(done: Double(done), total: all)
    }
    reporter.finish()
    let missing = ShardSelection.text(summary.missing)
    var lines = [
      "\(summary.shards) shard(s), \(summary.added) of them added, \(summary.samples) samples, "
        + "\(summary.accepted) accepted, in \(output)"
    ]
    if !missing.isEmpty {
      lines.append("still missing: the run's command with --shards \(missing)")
    }
    try runtime.finish(
      [
        .init("shards", .integer(Int64(summary.shards))),
        .init("added", .integer(Int64(summary.added))),
        .init("samples", .integer(Int64(summary.samples))),
        .init("accepted", .integer(Int64(summary.accepted))),
        .init("missing_shards", .string(missing)), .init("output", .string(output)),
      ], text: lines.joined(separator: "\n"))
  }
}
