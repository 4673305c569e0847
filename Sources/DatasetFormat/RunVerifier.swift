import CanonicalJSON
import Imaging

/// Checks a run folder: every hash, every record, every picture.
public struct RunVerifier {
  /// Something that is not as the format says.
  public struct Fault: Sendable, Equatable, CustomStringConvertible {
    /// The file or folder, relative to the run folder.
    public var file: String
    /// What is wrong with it.
    public var problem: String

    /// One line for people.
    public var description: String { "\(file): \(problem)" }
  }

  private let files: any FileSystem
  private var found: [Fault] = []

  /// Checks a folder without changing it.
  ///
  /// - Parameter path: the run folder.
  /// - Returns: all faults; none where the folder is whole. Shards that are not made yet are no fault.
  /// - Throws: ``DatasetError`` where the folder cannot be read.
  public static func faults(inRunAt path: String) throws -> [Fault] {
    var verifier = RunVerifier(files: try LocalFileSystem(root: path, creating: false))
    try verifier.check()
    return verifier.found
  }

  private init(files: any FileSystem) { self.files = files }

  private mutating func check() throws {
    var hash: String?
    try collecting(RunLayout.configurationFile) { verifier in
      let bytes = try verifier.files.read(
        RunLayout.configurationFile, limit: RunFolder.configurationLimit)
      hash = ContentHash.sha256(bytes)
      let json: JSONValue
      do {
        json = try JSONValue.parse(bytes)
      } catch {
        return verifier.add(RunLayout.configurationFile, "no JSON: \(error)")
      }
      if Array(json.canonicalText.utf8) != bytes {
        verifier.add(RunLayout.configurationFile, "not canonical JSON")
      }
    }
    var classes: ClassTable?
    try collecting(RunLayout.classFile) { verifier in
      classes = try ClassTable(
        tsv: verifier.files.read(RunLayout.classFile, limit: RunFolder.configurationLimit),
        path: RunLayout.classFile)
    }
    try collecting(RunLayout.shardFolder) { verifier in
      for name in try verifier.files.list(RunLayout.shardFolder) {
        guard let shard = Int(name), shard >= 0, RunLayout.shardName(shard) == name else {
          verifier.add("\(RunLayout.shardFolder)/\(name)", "no name of a shard")
          continue
        }
        try verifier.check(shard, hash: hash, classes: classes)
      }
    }
  }

  private mutating func check(_ shard: Int, hash: String?, classes: ClassTable?) throws {
    let folder = RunLayout.shardPath(shard)
    let reader = ShardReader(files: files, folder: folder)
    try collecting("\(folder)/\(RunLayout.doneFile)") { verifier in
      guard let done = try reader.done() else {
        return verifier.add(folder, "DONE is not there; give the run's command again")
      }
      if done.shard != shard { verifier.add(folder, "DONE is of shard \(done.shard)") }
      if let hash, done.configurationHash != hash {
        verifier.add(folder, "DONE is of another run.json")
      }
      var isWhole = true
      for file in done.files {
        if let problem = try reader.problem(of: file, rehashing: true) {
          verifier.add(folder, problem)
          isWhole = false
        }
      }
      try verifier.checkNames(folder, done)
      if isWhole { try verifier.checkRecords(reader, done, classes: classes) }
    }
  }

  /// Nothing lies in a shard that DONE does not list.
  private mutating func checkNames(_ folder: String, _ done: DoneRecord) throws {
    let listed = Set(done.files.map(\.path) + [RunLayout.doneFile])
    let folders = [RunLayout.imageFolder, RunLayout.maskFolder]
    for name in try files.list(folder) where !folders.contains(name) && !listed.contains(name) {
      add("\(folder)/\(name)", "not listed in DONE")
    }
    for inner in folders where try files.status("\(folder)/\(inner)")?.kind == .directory {
      for name in try files.list("\(folder)/\(inner)") where !listed.contains("\(inner)/\(name)") {
        add("\(folder)/\(inner)/\(name)", "not listed in DONE")
      }
    }
  }

  private mutating func checkRecords(
    _ reader: ShardReader, _ done: DoneRecord, classes: ClassTable?
  ) throws {
    let records = try reader.records()
    let indices = done.firstIndex..<done.firstIndex + done.sampleCount
    guard records.map(\.index) == Array(indices) else {
      return add("\(reader.folder)/\(RunLayout.recordFile)", "not one record a sample in order")
    }
    let counted = DoneRecord(
      shard: done.shard, indices: indices, records: records,
      configurationHash: done.configurationHash, numerics: done.numerics, files: done.files)
    if counted != done {
      add("\(reader.folder)/\(RunLayout.doneFile)", "counts differ from records")
    }
    let ids = classes.map { Set($0.entries.map { UInt16($0.id) }) }
    for record in records {
      let image = "\(reader.folder)/\(record.image)"
      try collecting(image) { verifier in
        let contents = try PNGCodec.decodeImage(
          verifier.files.read(image, limit: ShardReader.imageLimit))
        verifier.compare(
          record, contents.pixels.width, contents.pixels.height, contents.record, image)
      }
      guard let mask = record.mask.map({ "\(reader.folder)/\($0)" }) else { continue }
      try collecting(mask) { verifier in
        let contents = try PNGCodec.decodeMask(
          verifier.files.read(mask, limit: ShardReader.imageLimit))
        verifier.compare(
          record, contents.pixels.width, contents.pixels.height, contents.record, mask)
        let known = (ids ?? []).union([LabelMask.background, LabelMask.ignored])
        if ids != nil, let id = Set(contents.pixels.ids).subtracting(known).min() {
          verifier.add(mask, "the id \(id) is not in classes.tsv")
        }
      }
    }
  }

  private mutating func compare(
    _ record: SampleRecord, _ width: Int, _ height: Int, _ text: String?, _ file: String
  ) {
    if width != record.width || height != record.height {
      add(file, "\(width) x \(height) pixels, the record says \(record.width) x \(record.height)")
    }
    if text != record.line { add(file, "carries another record than records.jsonl") }
  }

  private mutating func add(_ file: String, _ problem: String) {
    found.append(Fault(file: file, problem: problem))
  }

  /// Turns what is wrong with the data into a fault; a disk that fails ends the check.
  private mutating func collecting(
    _ file: String, _ body: (inout RunVerifier) throws -> Void
  ) throws {
    do {
      try body(&self)
    } catch let error as DatasetError where error.code == .malformed || error.isWrongPlace {
      add(file, error.message)
    } catch let error as ImagingError {
      add(file, error.message)
    }
  }
}
