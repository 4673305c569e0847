import ArgumentParser
import DatasetFormat
import Generation
import Glibc

/// Which part of a run to make.
struct ShardOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Make these shards only, such as 3 or 0-15 or 3,7,12-15.", valueName: "k|k-l"))
  var shards: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Make the shards k with k mod n = i, i from 0 (default: as a Slurm job array says, else all). Parts may share "
        + "a folder or be joined by triptych merge.", valueName: "i/n"))
  var worker: String?

  func validate() throws {
    guard shards == nil || worker == nil else {
      throw ValidationError("--shards and --worker do not go together; give one of them")
    }
    if let shards, ShardSelection(ranges: shards) == nil {
      throw ValidationError("--shards: found \"\(shards)\", expected such as 3, 0-15 or 3,7,12-15")
    }
    if let worker, ShardSelection(worker: worker) == nil {
      throw ValidationError(
        "--worker: found \"\(worker)\", expected i/n with i from 0 to n - 1, such as 0/4")
    }
  }

  /// The shards to make, ascending.
  ///
  /// - Throws: ``GenerationError`` where the run has no such shard or a job array is not regular.
  func shards(of layout: RunLayout) throws -> [Int] {
    let selection = try selection()
    if let highest = selection.highestNamed, highest >= layout.shardCount {
      throw GenerationError(
        .usage, "--shards",
        "there is no shard \(highest); the run has \(layout.shardCount), numbered from 0")
    }
    return selection.shards(in: layout)
  }

  /// Refuses what is made of the whole run where only a part of it is made.
  ///
  /// - Throws: ``GenerationError`` naming the first option that is given.
  static func checkWhole(
    _ shards: [Int], of layout: RunLayout, for options: [(name: String, isGiven: Bool)]
  ) throws {
    guard shards.count < layout.shardCount, let given = options.first(where: \.isGiven) else {
      return
    }
    throw GenerationError(
      .usage, given.name, "goes with a whole run, not with --shards, --worker or a Slurm array")
  }

  private func selection() throws -> ShardSelection {
    if let shards, let ranges = ShardSelection(ranges: shards) { return ranges }
    if let worker, let part = ShardSelection(worker: worker) { return part }
    do {
      return try ShardSelection.slurm { name in getenv(name).map { String(cString: $0) } } ?? .all
    } catch let error as DatasetError {
      throw GenerationError(.usage, error.path, error.message)
    }
  }
}
