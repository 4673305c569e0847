public import CanonicalJSON

/// A run folder that is being filled: its configuration, its classes, and the state of its shards.
///
/// Not to be used from several threads at once.
public final class RunFolder {
  /// Who else may work on the folder.
  public enum Access: Sendable {
    /// No one.
    case exclusive
    /// Other processes that were also opened shared, on other shards.
    case shared
  }

  /// What is known of a shard.
  public enum ShardState: Sendable, Equatable {
    /// Finished and whole.
    case done(DoneRecord)
    /// To be made, with why.
    case open(reason: String)
  }

  /// The folder, as the user named it.
  public var path: String { files.root }
  /// The classes.
  public let classes: ClassTable
  /// Which samples stand in which shard.
  public let layout: RunLayout
  /// The SHA-256 of run.json.
  public let configurationHash: String
  /// The SHA-256 of classes.tsv.
  public let classHash: String
  /// Which arithmetic makes the pixels.
  public let numerics: String

  let files: any FileSystem
  private let access: Access
  private var lock: Int32?

  /// Makes a run folder, or goes on with one that was made with the same configuration.
  ///
  /// - Parameters:
  ///   - path: the folder; made with those above it where it is not there.
  ///   - configuration: the resolved configuration, for run.json.
  ///   - classes: the classes, for classes.tsv.
  ///   - layout: samples and shards; the configuration must determine it.
  ///   - numerics: the fingerprint of the arithmetic, for DONE.
  ///   - access: whether other processes may fill other shards.
  ///   - fileSystem: the folder's file system where it is another than the machine's.
  /// - Returns: the folder, locked until ``close()``.
  /// - Throws: ``DatasetError``: `cannotCreate`, `lockHeld`, `configurationDiffers` with the keys, `malformed`,
  ///   `diskFull`, `io`.
  public static func open(
    path: String, configuration: JSONValue, classes: ClassTable, layout: RunLayout,
    numerics: String, access: Access = .exclusive, fileSystem: (any FileSystem)? = nil
  ) throws -> RunFolder {
    let files = try fileSystem ?? LocalFileSystem(root: path, creating: true)
    let text = Array(configuration.canonicalText.utf8)
    let folder = RunFolder(
      files: files, classes: classes, layout: layout,
      configurationHash: ContentHash.sha256(text), numerics: numerics, access: access)
    do {
      try folder.prepare(configuration: configuration, text: text)
    } catch {
      folder.giveBackLock(removing: false)
      throw error
    }
    return folder
  }

  private init(
    files: any FileSystem, classes: ClassTable, layout: RunLayout, configurationHash: String,
    numerics: String, access: Access
  ) {
    self.files = files
    self.classes = classes
    classHash = ContentHash.sha256(classes.tsv.utf8)
    self.layout = layout
    self.configurationHash = configurationHash
    self.numerics = numerics
    self.access = access
  }

  deinit { giveBackLock(removing: false) }

  private func prepare(configuration: JSONValue, text: [UInt8]) throws {
    // Before anything is made: a folder of another run stays as it is.
    let hasConfiguration = try compareConfiguration(configuration, text: text)
    let madePartial = try takeLockInPartial()
    let madeShards = try files.makeDirectory(RunLayout.shardFolder)
    if madePartial || madeShards { try files.synchronizeDirectory("") }
    if access == .exclusive { try removeLeftovers() }
    // Another process may have made both since the first look.
    if !hasConfiguration, try files.status(RunLayout.configurationFile) == nil {
      guard try files.list(RunLayout.shardFolder).isEmpty else {
        throw DatasetError(
          .missing, path: files.shown(RunLayout.configurationFile),
          "not there, though the folder holds shards; put it back or choose another folder")
      }
    }
    try establish(RunLayout.configurationFile, text) { _ in
      try self.difference(from: configuration, text: text)
    }
    try establish(RunLayout.classFile, Array(classes.tsv.utf8)) { found in
      DatasetError(
        .configurationDiffers, path: self.files.shown(RunLayout.classFile),
        "the run folder has other classes: " + Self.firstDifference(found, self.classes.tsv)
          + "; choose another folder or the same classes")
    }
  }

  /// Makes partial/ and takes the lock in it; whoever ends at this moment may remove the folder in between.
  private func takeLockInPartial() throws -> Bool {
    for _ in 0..<Self.lockAttempts {
      let isNew = try files.makeDirectory(RunLayout.partialFolder)
      do {
        try takeLock()
        return isNew
      } catch let error as DatasetError where error.isWrongPlace {
        continue
      }
    }
    throw DatasetError(
      .lockHeld, path: path, "its partial/ comes and goes; give the same command again")
  }

  private func takeLock() throws {
    for attempt in 1... {
      let outcome = try files.acquireLock(
        RunLayout.lockFile, exclusively: access == .exclusive)
      guard case .held(let processID) = outcome else {
        if case .acquired(let lock) = outcome { self.lock = lock }
        return
      }
      // The last of several workers has the folder to itself for a moment while it tidies up; it leaves no name.
      guard access == .shared, processID == nil, attempt < Self.lockAttempts else {
        throw DatasetError(
          .lockHeld, path: path,
          "in use by \(processID.map { "process \($0)" } ?? "another process"); "
            + "wait until it ends, then give the same command again")
      }
      files.pause()
    }
  }

  private func giveBackLock(removing: Bool) {
    guard let lock else { return }
    files.releaseLock(lock, path: RunLayout.lockFile, removing: removing)
    self.lock = nil
  }

  /// Whether run.json is there; throws where it is another run's.
  private func compareConfiguration(_ configuration: JSONValue, text: [UInt8]) throws -> Bool {
    guard try files.status(RunLayout.configurationFile) != nil else { return false }
    guard let error = try difference(from: configuration, text: text) else { return true }
    throw error
  }

  private func difference(from configuration: JSONValue, text: [UInt8]) throws -> DatasetError? {
    let path = files.shown(RunLayout.configurationFile)
    let found = try files.read(RunLayout.configurationFile, limit: Self.configurationLimit)
    if found == text { return nil }
    return DatasetError.configuration(
      found, differsFrom: configuration, path: path, in: "the run folder")
  }

  /// Writes a file that must never change, or compares it with the one that is there.
  private func establish(
    _ name: String, _ bytes: [UInt8], otherwise difference: ([UInt8]) throws -> DatasetError?
  ) throws {
    if try files.status(name) == nil {
      let temporary = "\(RunLayout.partialFolder)/\(name).\(RunLayout.randomSuffix())"
      try files.writeNew(bytes, at: temporary)
      defer { files.discard(temporary) }
      // A second name does not replace: of two processes the slower one compares below.
      switch try files.link(temporary, to: name) {
      case .linked, .exists: break
      case .unsupported: try files.rename(temporary, to: name)
      }
      try files.synchronizeDirectory("")
    }
    let found = try files.read(name, limit: Self.configurationLimit)
    if found != bytes, let error = try difference(found) { throw error }
  }

  private static func firstDifference(_ found: [UInt8], _ wanted: String) -> String {
    let old = String(decoding: found, as: UTF8.self).split(separator: "\n")
    let new = wanted.split(separator: "\n")
    for index in 0..<max(old.count, new.count) {
      let (a, b) = (
        index < old.count ? old[index] : "nothing", index < new.count ? new[index] : "nothing"
      )
      if a != b {
        let texts = [a, b].map { $0.prefix(60).split(separator: "\t").joined(separator: " ") }
        return "line \(index + 1) is \(texts[0]) in the folder and \(texts[1]) now"
      }
    }
    return "the same lines, otherwise written"
  }

  /// Removes what nobody goes on with: temporaries, and the journals of shards that are done.
  private func removeLeftovers() throws {
    for name in try files.list(RunLayout.partialFolder) {
      let path = "\(RunLayout.partialFolder)/\(name)"
      if path == RunLayout.lockFile { continue }
      if let shard = Self.journaledShard(name), shard < layout.shardCount,
        case .open = try state(ofShard: shard)
      {
        continue
      }
      try files.removeTree(path)
    }
  }

  private static func journaledShard(_ name: String) -> Int? {
    let prefix = "journal-"
    guard name.hasPrefix(prefix), let shard = Int(name.dropFirst(prefix.count)), shard >= 0,
      "\(RunLayout.partialFolder)/\(name)" == RunLayout.journalPath(shard)
    else { return nil }
    return shard
  }

  /// Says whether a shard is finished: DONE is well formed and of this run, and all files are there in their sizes.
  ///
  /// - Parameters:
  ///   - shard: the shard's number.
  ///   - rehashing: whether to read all files and compare their hashes.
  /// - Returns: the state; a damaged shard is open and is made again.
  /// - Throws: ``DatasetError`` where the disk cannot be read.
  public func state(ofShard shard: Int, rehashing: Bool = false) throws -> ShardState {
    let indices = layout.indices(ofShard: shard)
    let folder = RunLayout.shardPath(shard)
    guard let status = try files.status(folder) else { return .open(reason: "not made yet") }
    guard status.kind == .directory else { return .open(reason: "is \(status.kind.rawValue)") }
    let reader = ShardReader(files: files, folder: folder)
    do {
      guard let done = try reader.done() else { return .open(reason: "DONE is not there") }
      guard done.configurationHash == configurationHash, done.classHash == classHash,
        done.numerics == numerics
      else {
        return .open(reason: "DONE is of another configuration")
      }
      guard done.shard == shard, done.firstIndex == indices.lowerBound,
        done.sampleCount == indices.count
      else { return .open(reason: "DONE is of other samples") }
      for file in done.files {
        if let problem = try reader.problem(of: file, rehashing: rehashing) {
          return .open(reason: problem)
        }
      }
      return .done(done)
    } catch let error as DatasetError where error.code == .malformed {
      return .open(reason: error.description)
    }
  }

  /// Opens a shard to make its missing samples.
  ///
  /// - Parameter shard: a shard that is not done.
  /// - Returns: the shard's writer; only one may be open.
  /// - Throws: ``DatasetError``; `lockHeld` where another worker makes the same shard.
  public func openShard(_ shard: Int) throws -> ShardWriter {
    try ShardWriter(folder: self, shard: shard)
  }

  /// Ends the work: removes what is left in partial/ and gives the lock back.
  ///
  /// - Throws: ``DatasetError`` where the disk fails; everything that is done stays done.
  public func close() throws {
    guard let lock else { return }
    defer { giveBackLock(removing: false) }
    // With others at work the last one tidies up.
    guard access == .exclusive || files.upgradeLock(lock) else { return }
    try removeLeftovers()
    giveBackLock(removing: true)
    _ = try files.removeDirectory(RunLayout.partialFolder)
    try files.synchronizeDirectory("")
  }

  package static let configurationLimit = 64 << 20
  /// How often a lock is tried, 20 ms apart.
  private static let lockAttempts = 250
}
