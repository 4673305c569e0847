public import CanonicalJSON
public import Imaging

/// A run folder to read: its finished shards, with the decisions of the last `filter`.
///
/// Nothing is locked and nothing is changed; shards that are finished later are not seen. At any time the records
/// of one shard are held.
public final class RunContents {
  /// A finished shard.
  public struct Shard: Sendable, Equatable {
    /// Its number.
    public let number: Int
    /// Its samples.
    public let indices: Range<Int>
  }

  /// A sample with its files.
  public struct Sample: Sendable {
    /// Its record; reasons are those of the decisions that hold now.
    public let record: SampleRecord
    /// Its shard's number.
    public let shard: Int
    /// The picture's path, with the run folder's in front.
    public let imagePath: String
    /// The mask's path; nil where there is none.
    public let maskPath: String?

    /// Whether the sample passes the rules that hold now.
    public var isAccepted: Bool { record.isAccepted }
  }

  /// The folder, as the user named it.
  public var path: String { files.root }
  /// What run.json says.
  public let configuration: JSONValue
  /// The SHA-256 of run.json.
  public let configurationHash: String
  /// The classes.
  public let classes: ClassTable
  /// Samples and shards of the whole run.
  public let layout: RunLayout
  /// The finished shards by ascending number.
  public let shards: [Shard]
  /// Which arithmetic made the pixels; nil where no shard is finished.
  public let numerics: String?
  /// The rules that `filter` put in place of the run's own; nil where it did not.
  public let appliedRules: FilterRules?

  let files: LocalFileSystem

  /// Opens a finished or unfinished run.
  ///
  /// - Parameter path: the folder.
  /// - Returns: the run; nothing but its configuration, classes and DONE files has been read.
  /// - Throws: ``DatasetError``: `missing` where there is no run folder, `malformed` where a file breaks a rule of
  ///   the format, `io`.
  public static func open(path: String) throws -> RunContents {
    try RunContents(files: LocalFileSystem(root: path, creating: false))
  }

  private init(files: LocalFileSystem) throws {
    self.files = files
    let text = try Self.configurationText(files)
    configuration = try Self.parse(text, path: files.shown(RunLayout.configurationFile))
    configurationHash = ContentHash.sha256(text)
    layout = try RunLayout(
      configuration: configuration, path: files.shown(RunLayout.configurationFile))
    let table = try files.read(RunLayout.classFile, limit: RunFolder.configurationLimit)
    classes = try ClassTable(tsv: table, path: files.shown(RunLayout.classFile))
    let classHash = ContentHash.sha256(table)
    appliedRules = try FilterFile(files: files).read()?.rules
    var shards: [Shard] = []
    var numerics: String?
    for number in try Self.shardNumbers(files) {
      let folder = RunLayout.shardPath(number)
      guard let done = try ShardReader(files: files, folder: folder).done() else { continue }
      func fault(_ problem: String) -> DatasetError {
        DatasetError(
          .malformed, path: files.shown("\(folder)/\(RunLayout.doneFile)"),
          problem + "; triptych verify says more, the run's own command makes the shard again")
      }
      guard number < layout.shardCount else { throw fault("the run has no shard \(number)") }
      guard done.configurationHash == configurationHash else {
        throw fault("is of another run.json")
      }
      guard done.classHash == classHash else { throw fault("is of another classes.tsv") }
      let indices = layout.indices(ofShard: number)
      guard done.shard == number, done.firstIndex == indices.lowerBound,
        done.sampleCount == indices.count
      else { throw fault("is of other samples") }
      if let numerics, numerics != done.numerics {
        throw fault("was made with \(done.numerics), other shards with \(numerics)")
      }
      numerics = done.numerics
      shards.append(Shard(number: number, indices: indices))
    }
    self.shards = shards
    self.numerics = numerics
  }

  /// Samples in finished shards.
  public var sampleCount: Int { shards.reduce(0) { $0 + $1.indices.count } }

  /// The shards that are not finished, ascending.
  public var missingShards: [Int] {
    let done = Set(shards.map(\.number))
    return (0..<layout.shardCount).filter { !done.contains($0) }
  }

  /// The rules of the run's own configuration; nil where it has none.
  ///
  /// - Throws: ``DatasetError`` `malformed`.
  public func ownRules() throws -> FilterRules? {
    try FilterRules.ofRun(configuration, path: files.shown(RunLayout.configurationFile))
  }

  /// Calls `body` with every sample of the finished shards, by ascending index.
  ///
  /// - Throws: what `body` throws; ``DatasetError`` where a shard cannot be read.
  public func forEachSample(_ body: (Sample) throws -> Void) throws {
    for shard in shards {
      for sample in try samples(of: shard) { try body(sample) }
    }
  }

  /// The samples of a shard by ascending index.
  ///
  /// - Throws: ``DatasetError`` where the shard cannot be read.
  public func samples(of shard: Shard) throws -> [Sample] {
    try samples(of: shard, rules: appliedRules)
  }

  /// The samples of a shard as other rules decide; nil for the decisions in the file.
  func samples(of shard: Shard, rules: FilterRules?) throws -> [Sample] {
    let folder = RunLayout.shardPath(shard.number)
    let stored = try storedRecords(of: shard)
    return (rules?.deciding(stored) ?? stored).map { record in
      Sample(
        record: record, shard: shard.number,
        imagePath: files.shown("\(folder)/\(record.image)"),
        maskPath: record.mask.map { files.shown("\(folder)/\($0)") })
    }
  }

  /// The records of a shard as they stand in the file, with the run's own decisions.
  ///
  /// - Throws: ``DatasetError`` where the shard cannot be read.
  public func storedRecords(of shard: Shard) throws -> [SampleRecord] {
    let folder = RunLayout.shardPath(shard.number)
    let records = try ShardReader(files: files, folder: folder).records()
    guard records.map(\.index) == Array(shard.indices) else {
      throw DatasetError(
        .malformed, path: files.shown("\(folder)/\(RunLayout.recordFile)"),
        "does not hold one record a sample in order; triptych verify says more")
    }
    return records
  }

  /// The picture of a sample.
  ///
  /// - Throws: ``DatasetError`` where it cannot be read or is none, or of another size than its record says.
  public func image(of sample: Sample) throws -> PixelImage {
    try decoded(sample, sample.record.image, size: { ($0.width, $0.height) }) {
      try PNGCodec.decodeImage($0).pixels
    }
  }

  /// The mask of a sample; nil where it has none.
  ///
  /// - Throws: ``DatasetError`` where it cannot be read or is none, or of another size than its record says.
  public func mask(of sample: Sample) throws -> LabelMask? {
    guard let name = sample.record.mask else { return nil }
    return try decoded(sample, name, size: { ($0.width, $0.height) }) {
      try PNGCodec.decodeMask($0).pixels
    }
  }

  /// The bytes of a sample's picture file.
  ///
  /// - Throws: ``DatasetError`` where it cannot be read.
  public func imageBytes(of sample: Sample) throws -> [UInt8] {
    try files.read(
      "\(RunLayout.shardPath(sample.shard))/\(sample.record.image)", limit: ShardReader.imageLimit)
  }

  private func decoded<Pixels>(
    _ sample: Sample, _ name: String, size: (Pixels) -> (Int, Int),
    _ decode: ([UInt8]) throws -> Pixels
  ) throws -> Pixels {
    let path = "\(RunLayout.shardPath(sample.shard))/\(name)"
    let bytes = try files.read(path, limit: ShardReader.imageLimit)
    do {
      let pixels = try decode(bytes)
      guard size(pixels) == (sample.record.width, sample.record.height) else {
        throw ImagingError(
          .wrongSize,
          "\(size(pixels).0) x \(size(pixels).1) pixels, the record says "
            + "\(sample.record.width) x \(sample.record.height)")
      }
      return pixels
    } catch let error as ImagingError {
      throw DatasetError(.malformed, path: files.shown(path), error.message)
    }
  }

  /// The bytes of run.json.
  static func configurationText(_ files: any FileSystem) throws -> [UInt8] {
    guard try files.status(RunLayout.configurationFile) != nil else {
      throw DatasetError(
        .missing, path: files.shown(RunLayout.configurationFile),
        "not there; expected a run folder, as triptych generate makes it")
    }
    return try files.read(RunLayout.configurationFile, limit: RunFolder.configurationLimit)
  }

  static func parse(_ text: [UInt8], path: String) throws -> JSONValue {
    do {
      return try JSONValue.parse(text)
    } catch {
      throw DatasetError(.malformed, path: path, "no JSON: \(error)")
    }
  }

  /// The numbers of the shards that are there in whatever state, ascending; none where no folder is.
  static func shardNumbers(_ files: any FileSystem) throws -> [Int] {
    guard try files.status(RunLayout.shardFolder) != nil else { return [] }
    return try files.list(RunLayout.shardFolder).compactMap { name in
      guard let number = Int(name), number >= 0, RunLayout.shardName(number) == name else {
        return nil
      }
      return number
    }.sorted()
  }
}
