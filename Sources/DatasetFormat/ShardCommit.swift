/// The last steps of a shard: a whole folder takes its final name, then DONE is written.
struct ShardCommit {
  let files: any FileSystem
  let shard: Int

  /// A new name to put the shard's files together under.
  func workFolder() -> String { "\(RunLayout.partialFolder)/\(name).\(RunLayout.randomSuffix())" }

  /// Makes the shard final.
  ///
  /// - Parameters:
  ///   - work: the folder with all files but DONE; they and their names are on the disk.
  ///   - done: the text of DONE.
  /// - Throws: ``DatasetError`` where the disk fails; the work folder may be in its place by then.
  func install(_ work: String, done: [UInt8]) throws {
    let final = RunLayout.shardPath(shard)
    try moveAside(final)
    try files.rename(work, to: final)
    try files.synchronizeDirectory(RunLayout.shardFolder)
    try files.replace(
      "\(final)/\(RunLayout.doneFile)", with: done,
      temporary: "\(RunLayout.partialFolder)/DONE-\(name).\(RunLayout.randomSuffix())")
    try files.synchronizeDirectory(final)
  }

  /// Removes what an interrupted commit of this shard left.
  func removeTemporaries() throws {
    let prefixes = ["\(name).", "DONE-\(name).", "stale-\(name)."]
    for entry in try files.list(RunLayout.partialFolder)
    where prefixes.contains(where: { entry.hasPrefix($0) }) {
      try files.removeTree("\(RunLayout.partialFolder)/\(entry)")
    }
  }

  /// Refuses a final name that is taken by something else than a folder.
  func checkFinalName() throws {
    let final = RunLayout.shardPath(shard)
    guard let status = try files.status(final), status.kind != .directory else { return }
    throw DatasetError(
      .cannotCreate, path: files.shown(final),
      "is \(status.kind.rawValue), expected a folder or nothing; remove it")
  }

  private var name: String { RunLayout.shardName(shard) }

  /// Clears the final name of a shard without a valid DONE.
  private func moveAside(_ final: String) throws {
    try checkFinalName()
    guard try files.status(final) != nil else { return }
    let stale = "\(RunLayout.partialFolder)/stale-\(name).\(RunLayout.randomSuffix())"
    try files.rename(final, to: stale)
    try files.removeTree(stale)
  }
}
