import CanonicalJSON

/// What DONE says about a finished shard; only this file means done.
public struct DoneRecord: Sendable, Equatable {
  /// A file of the shard.
  public struct File: Sendable, Equatable {
    /// The path in the shard.
    public var path: String
    /// Bytes.
    public var size: Int
    /// The SHA-256 of its bytes.
    public var sha256: String

    /// Describes a file.
    public init(path: String, size: Int, sha256: String) {
      self.path = path
      self.size = size
      self.sha256 = sha256
    }

    init(path: String, bytes: [UInt8]) {
      self.init(path: path, size: bytes.count, sha256: ContentHash.sha256(bytes))
    }
  }

  /// The shard's number.
  public var shard: Int
  /// The shard's first sample.
  public var firstIndex: Int
  /// Samples, accepted or not.
  public var sampleCount: Int
  /// Samples that passed the filters.
  public var acceptedCount: Int
  /// Rejected samples by reason; a sample with two reasons counts for both.
  public var rejectedByReason: [String: Int]
  /// The SHA-256 of run.json.
  public var configurationHash: String
  /// The SHA-256 of classes.tsv.
  public var classHash: String
  /// Which arithmetic made the pixels.
  public var numerics: String
  /// All files but DONE: pictures, masks, records.
  public var files: [File]

  /// Counts the records of a shard.
  init(
    shard: Int, indices: Range<Int>, records: [SampleRecord], configurationHash: String,
    classHash: String, numerics: String, files: [File]
  ) {
    self.shard = shard
    firstIndex = indices.lowerBound
    sampleCount = records.count
    acceptedCount = records.count { $0.isAccepted }
    rejectedByReason = [:]
    for record in records {
      for reason in Set(record.reasons) { rejectedByReason[reason, default: 0] += 1 }
    }
    self.configurationHash = configurationHash
    self.classHash = classHash
    self.numerics = numerics
    self.files = files
  }

  /// Reads and checks a DONE file.
  ///
  /// - Parameters:
  ///   - bytes: the file's bytes.
  ///   - path: the file, for messages.
  /// - Throws: ``DatasetError`` `malformed` with the key that is wrong.
  public init(bytes: [UInt8], path: String) throws {
    let fields = try RecordFields(
      bytes: bytes, path: path, what: "done record",
      keys: [
        "shard", "first_index", "samples", "accepted", "rejected_by_reason",
        "configuration_sha256", "classes_sha256", "numerics", "files",
      ])
    let samples = 0...RunLayout.sampleLimit
    shard = try fields.integer("shard", in: samples)
    firstIndex = try fields.integer("first_index", in: samples)
    sampleCount = try fields.integer("samples", in: samples)
    acceptedCount = try fields.integer("accepted", in: 0...sampleCount)
    configurationHash = try fields.hash("configuration_sha256")
    classHash = try fields.hash("classes_sha256")
    numerics = try fields.string("numerics")
    rejectedByReason = [:]
    for member in try fields.value("rejected_by_reason").members ?? [] {
      guard let count = member.value.integer, (1...max(1, sampleCount)).contains(count) else {
        throw try fields.fault("rejected_by_reason", expected: "counts by reason")
      }
      rejectedByReason[member.name] = count
    }
    files = try fields.array("files").map { file in
      let entry = try RecordFields(
        file, path: path, what: "file", keys: ["path", "size", "sha256"])
      return File(
        path: try entry.string("path"), size: try entry.integer("size", in: 0...Int.max),
        sha256: try entry.hash("sha256"))
    }
    try checkPaths(path)
  }

  /// Pictures and masks of this shard's samples and the records, each once: nothing leads out of the shard.
  private func checkPaths(_ path: String) throws {
    var allowed = Set([RunLayout.recordFile])
    for index in firstIndex..<firstIndex + sampleCount {
      allowed.insert(RunLayout.imagePath(index))
      allowed.insert(RunLayout.maskPath(index))
    }
    for file in files where allowed.remove(file.path) == nil {
      throw DatasetError(.malformed, path: path, "unexpected file \"\(file.path)\"")
    }
    let required = (firstIndex..<firstIndex + sampleCount).map(RunLayout.imagePath)
    for name in [RunLayout.recordFile] + required where allowed.contains(name) {
      throw DatasetError(.malformed, path: path, "no entry for the file \"\(name)\"")
    }
  }

  /// The file's text: canonical JSON.
  public var text: String {
    let json: JSONValue = [
      "shard": .integer(Int64(shard)), "first_index": .integer(Int64(firstIndex)),
      "samples": .integer(Int64(sampleCount)), "accepted": .integer(Int64(acceptedCount)),
      "rejected_by_reason": .object(
        rejectedByReason.map { JSONValue.Member($0.key, .integer(Int64($0.value))) }),
      "configuration_sha256": .string(configurationHash),
      "classes_sha256": .string(classHash), "numerics": .string(numerics),
      "files": .array(
        files.map {
          [
            "path": .string($0.path), "size": .integer(Int64($0.size)),
            "sha256": .string($0.sha256),
          ]
        }),
    ]
    return json.canonicalText
  }
}
