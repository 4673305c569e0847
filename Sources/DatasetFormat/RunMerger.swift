import CanonicalJSON

/// Joins run folders that hold different shards of one run into one, shard by shard.
///
/// Merging is associative, may be stopped at any time and given again, and never changes a part.
public struct RunMerger {
  /// How files get into the output.
  public enum Transfer: Sendable {
    /// Each is read, compared with its hash and written anew.
    case copy
    /// Each is read, compared with its hash and gets a second name where the file system allows it: no room is
    /// needed, and damage to one is damage to both.
    case link
  }

  /// What a merge came to.
  public struct Summary: Sendable, Equatable {
    /// Finished shards of the output.
    public var shards = 0
    /// Shards that this call added.
    public var added = 0
    /// Samples in finished shards.
    public var samples = 0
    /// Samples that their run accepted.
    public var accepted = 0
    /// Shards that no part holds, ascending.
    public var missing: [Int] = []
  }

  private let parts: [RunContents]
  private let folder: RunFolder
  private let transfer: Transfer

  /// Joins parts.
  ///
  /// - Parameters:
  ///   - paths: the parts, at least one; they may hold the same shards, which must then be equal.
  ///   - output: the folder to fill; one of the parts, or one that holds some shards already, will do.
  ///   - transfer: how files get there.
  ///   - fileSystem: the output's file system where it is another than the machine's.
  ///   - watch: called after each shard with how many of all are there; throwing ends the work, what is there stays.
  /// - Returns: what the output holds.
  /// - Throws: ``DatasetError``: `configurationDiffers` with the keys where parts are of unlike runs, `malformed` where
  ///   a shard is damaged in every part or differs between them, `missing`, `lockHeld`, `diskFull`, `io`.
  public static func merge(
    _ paths: [String], into output: String, transfer: Transfer = .copy,
    fileSystem: (any FileSystem)? = nil,
    watch: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
  ) throws -> Summary {
    precondition(!paths.isEmpty, "a merge of nothing")
    let parts = try paths.map(RunContents.open)
    let first = parts[0]
    for part in parts.dropFirst() { try checkLikeness(first, part) }
    guard let numerics = parts.compactMap(\.numerics).first else {
      throw DatasetError(.missing, path: first.path, "no part holds a finished shard")
    }
    let text = first.configuration.canonicalText
    guard ContentHash.sha256(text.utf8) == first.configurationHash else {
      throw DatasetError(
        .malformed, path: "\(first.path)/\(RunLayout.configurationFile)",
        "is not written as triptych writes it; it was changed after the run began")
    }
    let folder = try RunFolder.open(
      path: output, configuration: first.configuration, classes: first.classes,
      layout: first.layout, numerics: numerics, fileSystem: fileSystem)
    let merger = RunMerger(parts: parts, folder: folder, transfer: transfer)
    do {
      let summary = try merger.run(watch)
      try folder.close()
      return summary
    } catch {
      // The first error is the one to report.
      _ = Result { try folder.close() }
      throw error
    }
  }

  private func run(_ watch: (Int, Int) throws -> Void) throws -> Summary {
    try takeRules()
    let layout = parts[0].layout
    let sources = Dictionary(
      grouping: parts.flatMap { part in part.shards.map { ($0.number, part) } }, by: \.0)
    var summary = Summary()
    for shard in 0..<layout.shardCount {
      let holders = (sources[shard] ?? []).map(\.1)
      guard let done = try take(shard, from: holders, &summary) else {
        summary.missing.append(shard)
        continue
      }
      summary.shards += 1
      summary.samples += done.sampleCount
      summary.accepted += done.acceptedCount
      try watch(summary.shards, sources.count)
    }
    return summary
  }

  /// Brings a shard to the output where it is not there; nil where nobody has it.
  private func take(
    _ shard: Int, from holders: [RunContents], _ summary: inout Summary
  ) throws -> DoneRecord? {
    let path = RunLayout.shardPath(shard)
    let texts = try holders.map {
      try $0.files.read("\(path)/\(RunLayout.doneFile)", limit: ShardReader.textLimit)
    }
    for (text, holder) in zip(texts, holders) where text != texts[0] {
      throw try conflict(shard, texts[0], holders[0].path, text, holder.path)
    }
    if case .done(let done) = try folder.state(ofShard: shard) {
      if let text = texts.first, Array(done.text.utf8) != text {
        throw try conflict(shard, Array(done.text.utf8), folder.path, text, holders[0].path)
      }
      return done
    }
    guard let text = texts.first else { return nil }
    let done = try DoneRecord(
      bytes: text, path: holders[0].files.shown("\(path)/\(RunLayout.doneFile)"))
    var firstFault: DatasetError?
    for holder in holders {
      do {
        try copy(done, text: text, from: holder)
        summary.added += 1
        return done
      } catch let error as DatasetError where error.code == .malformed || error.code == .missing {
        // Another part may have the shard whole.
        firstFault = firstFault ?? error
      }
    }
    throw firstFault ?? DatasetError(.missing, path: path, "in no part")
  }

  private func copy(_ done: DoneRecord, text: [UInt8], from part: RunContents) throws {
    let files = folder.files
    let committing = ShardCommit(files: files, shard: done.shard)
    let source = RunLayout.shardPath(done.shard)
    let work = committing.workFolder()
    do {
      _ = try files.makeDirectory(work)
      let names = Set(done.files.compactMap { $0.path.split(separator: "/").dropLast().first })
      for name in names.sorted() { _ = try files.makeDirectory("\(work)/\(name)") }
      for file in done.files {
        try copy(file, from: "\(source)/\(file.path)", of: part, to: "\(work)/\(file.path)")
      }
      for name in names.sorted() { try files.synchronizeDirectory("\(work)/\(name)") }
      try files.synchronizeDirectory(work)
      try committing.install(work, done: text)
    } catch {
      files.discard(work)
      throw error
    }
  }

  private func copy(
    _ file: DoneRecord.File, from source: String, of part: RunContents, to target: String
  ) throws {
    let bytes: [UInt8]
    do {
      bytes = try part.files.read(source, limit: max(ShardReader.imageLimit, file.size))
    } catch let error as DatasetError where error.isWrongPlace {
      throw DatasetError(.malformed, path: error.path, "is not there, though DONE lists it")
    }
    guard DoneRecord.File(path: file.path, bytes: bytes) == file else {
      throw DatasetError(
        .malformed, path: part.files.shown(source),
        "has other bytes than DONE says; make its shard again with the run's command")
    }
    if transfer == .link, let output = folder.files as? LocalFileSystem,
      case .linked = try output.link(source, of: part.files, to: target)
    {
      return
    }
    try folder.files.writeNew(bytes, at: target)
  }

  /// Rules that `filter` put in place must be the same everywhere, else it would be chance which of them hold.
  private func takeRules() throws {
    let file = FilterFile(files: folder.files)
    let there = try file.read()?.rules
    guard let rules = parts[0].appliedRules else {
      guard there == nil else { throw unlikeRules(parts[0].path, folder.path) }
      return
    }
    if let there {
      guard there == rules else { throw unlikeRules(parts[0].path, folder.path) }
      return
    }
    guard try RunContents.shardNumbers(folder.files).isEmpty else {
      throw unlikeRules(parts[0].path, folder.path)
    }
    try file.write(.init(rules: rules, configurationHash: folder.configurationHash))
  }

  private static func checkLikeness(_ first: RunContents, _ part: RunContents) throws {
    let differences = ConfigurationDifference.between(first.configuration, part.configuration)
    func refuse(_ reason: String) -> DatasetError {
      DatasetError(
        .configurationDiffers, path: part.path,
        "is no part of the same run as \(first.path): \(reason)")
    }
    guard differences.isEmpty else {
      throw refuse(
        differences.map { $0.described(found: "there", wanted: "here") }.joined(separator: "; "))
    }
    guard first.configurationHash == part.configurationHash else {
      throw refuse("run.json has the same values, otherwise written")
    }
    guard first.classes == part.classes else { throw refuse("classes.tsv differs") }
    if let one = first.numerics, let other = part.numerics, one != other {
      throw refuse("its numerics are \(other) here and \(one) there")
    }
    guard first.appliedRules == part.appliedRules else {
      throw unlikeRules(first.path, part.path)
    }
  }
}

private func unlikeRules(_ one: String, _ other: String) -> DatasetError {
  DatasetError(
    .configurationDiffers, path: other,
    "was filtered with other rules than \(one); give triptych filter the same rules or --reset for both"
  )
}

/// What differs in a shard of which two folders say that it is done.
private func conflict(
  _ shard: Int, _ one: [UInt8], _ onePath: String, _ other: [UInt8], _ otherPath: String
) throws -> DatasetError {
  let path = "\(otherPath)/\(RunLayout.shardPath(shard))"
  let first = try DoneRecord(bytes: one, path: "\(onePath)/\(RunLayout.shardPath(shard))")
  let second = try DoneRecord(bytes: other, path: path)
  let known = Set(first.files.map { "\($0.path) \($0.sha256)" })
  let file = second.files.first { !known.contains("\($0.path) \($0.sha256)") }?.path
  return DatasetError(
    .malformed, path: path,
    "differs from the same shard in \(onePath)\(file.map { ": \($0) has other bytes" } ?? ""); "
      + "one run gives one result, so one of them was changed: triptych verify says which")
}
