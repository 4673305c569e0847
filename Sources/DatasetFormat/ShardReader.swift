/// Reads the files of one shard.
struct ShardReader {
  let files: any FileSystem
  let folder: String

  /// The most bytes of a picture or mask.
  static let imageLimit = 1 << 30
  /// The most bytes of records.jsonl or DONE.
  static let textLimit = 1 << 30

  /// DONE; nil where there is none.
  func done() throws -> DoneRecord? {
    let path = "\(folder)/\(RunLayout.doneFile)"
    guard try files.status(path) != nil else { return nil }
    return try DoneRecord(
      bytes: files.read(path, limit: Self.textLimit), path: files.shown(path))
  }

  /// What is wrong with a file; nil where it is as DONE says.
  func problem(of file: DoneRecord.File, rehashing: Bool) throws -> String? {
    let path = "\(folder)/\(file.path)"
    let status: FileStatus?
    do {
      status = try files.status(path)
    } catch let error as DatasetError where error.isWrongPlace {
      return "\(file.path) cannot be found"
    }
    guard let status else { return "\(file.path) is not there" }
    guard status.kind == .file else { return "\(file.path) is \(status.kind.rawValue)" }
    guard status.size == file.size else {
      return "\(file.path) has \(status.size) bytes, expected \(file.size)"
    }
    guard rehashing else { return nil }
    let bytes = try files.read(path, limit: max(Self.imageLimit, file.size))
    guard ContentHash.sha256(bytes) == file.sha256 else {
      return "\(file.path) has other bytes than DONE says"
    }
    return nil
  }

  /// The records, one a line.
  func records() throws -> [SampleRecord] {
    let path = "\(folder)/\(RunLayout.recordFile)"
    let bytes = try files.read(path, limit: Self.textLimit)
    guard bytes.isEmpty || bytes.last == UInt8(ascii: "\n") else {
      throw DatasetError(.malformed, path: files.shown(path), "the last line has no end")
    }
    let lines = bytes.dropLast().split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return try lines.enumerated().map { number, line in
      try SampleRecord(line: line, path: "\(files.shown(path)), line \(number + 1)")
    }
  }
}
