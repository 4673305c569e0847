public import Imaging

/// Fills one shard: samples in any order, each kept as soon as it is added, then the whole shard at once.
///
/// The bytes depend on the samples alone, not on their order or on interruptions.
public final class ShardWriter {
  /// The shard's number.
  public let shard: Int
  /// The samples of the shard.
  public let indices: Range<Int>

  private let folder: RunFolder
  private let files: any FileSystem
  private let journal: ShardJournal
  private let committing: ShardCommit
  private var entries: [Int: ShardJournal.Entry] = [:]
  private var lock: Int32?

  init(folder: RunFolder, shard: Int) throws {
    self.folder = folder
    self.shard = shard
    indices = folder.layout.indices(ofShard: shard)
    files = folder.files
    committing = ShardCommit(files: files, shard: shard)
    journal = ShardJournal(files: files, folder: RunLayout.journalPath(shard))
    // Hours of work must not end at a name that cannot be taken.
    try committing.checkFinalName()
    guard case .acquired(let lock) = try files.acquireLock(lockPath, exclusively: true) else {
      throw DatasetError(
        .lockHeld, path: files.shown(RunLayout.shardPath(shard)),
        "another process makes this shard; wait until it ends, then give the same command again")
    }
    self.lock = lock
    do {
      try committing.removeTemporaries()
      entries = try journal.load(indices)
    } catch {
      abandon()
      throw error
    }
  }

  deinit { abandon() }

  /// The samples that are still to be made, ascending.
  public var missing: [Int] { indices.filter { entries[$0] == nil } }

  /// The records of the samples that are kept, ascending.
  public var records: [SampleRecord] { indices.compactMap { entries[$0]?.record } }

  /// Keeps a sample; it survives a kill when this returns.
  ///
  /// - Precondition: the sample belongs to the shard; sizes and mask fit the record.
  ///
  /// - Parameters:
  ///   - record: the sample's record, which both PNG files carry.
  ///   - image: its picture.
  ///   - mask: its mask where the record has one.
  /// - Throws: ``DatasetError`` where the disk fails, `ImagingError` where an id does not fit the run's masks.
  public func add(_ record: SampleRecord, image: PixelImage, mask: LabelMask? = nil) throws {
    precondition(lock != nil, "shard \(shard) is closed")
    precondition(indices.contains(record.index), "sample \(record.index) of shard \(indices)")
    precondition(record.hasMask == (mask != nil), "sample \(record.index): mask and record differ")
    precondition(
      record.width == image.width && record.height == image.height,
      "sample \(record.index): \(image.width) x \(image.height), record says "
        + "\(record.width) x \(record.height)")
    if let mask {
      precondition(
        mask.width == image.width && mask.height == image.height,
        "sample \(record.index): mask \(mask.width) x \(mask.height)")
    }
    let line = record.line
    let imageFile = try PNGCodec.encode(image, text: line)
    let maskFile = try mask.map {
      try PNGCodec.encode($0, depth: folder.classes.maskDepth, text: line)
    }
    entries[record.index] = try journal.add(record, image: imageFile, mask: maskFile)
  }

  /// Makes the shard final, once nothing is missing.
  ///
  /// - Returns: what DONE says.
  /// - Throws: ``DatasetError`` where the disk fails; the same call on a new writer finishes the work.
  @discardableResult
  public func commit() throws -> DoneRecord {
    precondition(lock != nil, "shard \(shard) is closed")
    precondition(missing.isEmpty, "shard \(shard): \(missing.count) samples are missing")
    if case .done(let done) = try folder.state(ofShard: shard) {
      try finish()
      return done
    }
    let work = committing.workFolder()
    let done: DoneRecord
    do {
      done = try assemble(in: work)
      try committing.install(work, done: Array(done.text.utf8))
    } catch {
      files.discard(work)
      throw error
    }
    try finish()
    return done
  }

  /// Stops without making the shard final; samples that were added stay for the next time.
  public func abandon() {
    guard let lock else { return }
    files.releaseLock(lock, path: lockPath, removing: true)
    self.lock = nil
  }

  private var lockPath: String {
    "\(RunLayout.partialFolder)/lock-\(RunLayout.shardName(shard))"
  }

  private func finish() throws {
    try files.removeTree(RunLayout.journalPath(shard))
    abandon()
  }

  /// Puts the shard together from the journal, everything on the disk when this returns.
  private func assemble(in work: String) throws -> DoneRecord {
    let samples = indices.compactMap { entries[$0] }
    let folders =
      [RunLayout.imageFolder]
      + (samples.contains { $0.mask != nil } ? [RunLayout.maskFolder] : [])
    _ = try files.makeDirectory(work)
    for folder in folders { _ = try files.makeDirectory("\(work)/\(folder)") }
    var listed: [DoneRecord.File] = []
    for sample in samples {
      let index = sample.record.index
      try take(sample.image, from: journal.imagePath(index), to: work)
      listed.append(sample.image)
      if let mask = sample.mask {
        try take(mask, from: journal.maskPath(index), to: work)
        listed.append(mask)
      }
    }
    let lines = Array(samples.map { $0.record.line + "\n" }.joined().utf8)
    try files.writeNew(lines, at: "\(work)/\(RunLayout.recordFile)")
    listed.append(DoneRecord.File(path: RunLayout.recordFile, bytes: lines))
    for folder in folders { try files.synchronizeDirectory("\(work)/\(folder)") }
    try files.synchronizeDirectory(work)
    return DoneRecord(
      shard: shard, indices: indices, records: samples.map(\.record),
      configurationHash: folder.configurationHash, classHash: folder.classHash,
      numerics: folder.numerics,
      files: listed.sorted { $0.path < $1.path })
  }

  /// Gives a journal's file its place, without a copy where the file system can.
  private func take(_ file: DoneRecord.File, from source: String, to work: String) throws {
    let target = "\(work)/\(file.path)"
    switch try files.link(source, to: target) {
    case .linked: break
    case .exists:
      throw DatasetError(
        .cannotCreate, path: files.shown(target), "is there already; remove partial/")
    case .unsupported:
      let bytes = try files.read(source, limit: ShardReader.imageLimit)
      guard DoneRecord.File(path: file.path, bytes: bytes) == file else {
        throw DatasetError(
          .io, path: files.shown(source),
          "changed after it was written; give the same command again")
      }
      try files.writeNew(bytes, at: target)
    }
  }
}
