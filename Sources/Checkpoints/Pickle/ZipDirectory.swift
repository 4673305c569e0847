import CanonicalJSON

/// What a zip archive of stored (not compressed) entries holds, and where.
///
/// Every range is checked to lie in front of the archive's directory and apart from every other. The archive's
/// checksums are not compared: safetensors have none, and reading gigabytes for them would cost more than the load.
///
/// - Source: PKWARE's application note on the zip format, sections 4.3.7 to 4.3.16 and 4.5.3 (zip64).
struct ZipDirectory {
  /// The longest directory and the most entries that are read.
  static let byteLimit = 64 << 20
  static let entryLimit = 1 << 18
  private static let endLength = 22
  private static let locatorLength = 20
  private static let recordLength = 56
  private static let localLength = 30

  /// The bytes of each entry's data in the file.
  private(set) var ranges: [String: Range<Int>] = [:]
  private let path: String

  /// Reads the directory.
  ///
  /// - Throws: ``CheckpointError`` with the rule that is broken.
  init(_ file: MappedFile) throws {
    path = file.path
    do {
      let place = try Self.place(in: file)
      var reader = ByteReader(try file.copiedBytes(place.range))
      for _ in 0..<place.count { try readEntry(&reader, file, end: place.range.lowerBound) }
      guard reader.left == 0 else {
        throw Self.fault(path, "the directory has \(reader.left) bytes behind its last entry")
      }
    } catch let end as ByteReader.End {
      throw Self.fault(
        path,
        "the zip directory ends at byte \(end.position) where \(end.wanted) more are needed; the file is damaged"
      )
    }
    try checkOverlaps()
  }

  /// Finds the directory: by the record at the file's end, or the zip64 one in front of it.
  private static func place(in file: MappedFile) throws -> (range: Range<Int>, count: Int) {
    let tailStart = max(0, file.byteCount - endLength - Int(UInt16.max) - locatorLength)
    let tail = try file.copiedBytes(tailStart..<file.byteCount)
    guard let end = endRecord(tail) else {
      throw fault(file.path, "a zip archive without its directory at the end; it was cut short")
    }
    var reader = ByteReader(tail, at: end + 4)
    let disks = try reader.number(4)
    let counts = (try reader.number(2), try reader.number(2))
    var (count, length, offset) = (counts.1, try reader.number(4), try reader.number(4))
    guard disks == 0 || disks == 0xFFFF_FFFF, counts.0 == counts.1 else {
      throw fault(file.path, "the zip archive is spread over several files, which is not read here")
    }
    if end >= locatorLength {
      var locator = ByteReader(tail, at: end - locatorLength)
      if try locator.number(4) == 0x0706_4B50 {
        _ = try locator.number(4)
        let start = try locator.number(8)
        guard file.byteCount >= recordLength, start <= UInt64(file.byteCount - recordLength)
        else {
          throw fault(
            file.path, "its zip64 record should lie at byte \(start) of \(file.byteCount)")
        }
        var record = ByteReader(try file.copiedBytes(Int(start)..<Int(start) + recordLength))
        guard try record.number(4) == 0x0606_4B50 else {
          throw fault(file.path, "there is no zip64 record at byte \(start), where it should be")
        }
        _ = try record.take(28)
        (count, length, offset) = (
          try record.number(8), try record.number(8), try record.number(8)
        )
      }
    }
    let (sum, overflow) = offset.addingReportingOverflow(length)
    guard !overflow, sum <= UInt64(tailStart + end) else {
      throw fault(
        file.path,
        "the zip directory should take \(length) bytes from byte \(offset), the file has \(file.byteCount)"
      )
    }
    guard length <= UInt64(byteLimit), count <= UInt64(entryLimit) else {
      throw fault(
        file.path,
        "the zip directory has \(count) entries in \(length) bytes, at most \(entryLimit) in \(byteLimit) are read"
      )
    }
    return (Int(offset)..<Int(sum), Int(count))
  }

  /// Where the end record begins: the last place with its signature whose comment reaches to the end.
  private static func endRecord(_ tail: [UInt8]) -> Int? {
    guard tail.count >= endLength else { return nil }
    for start in (0...tail.count - endLength).reversed()
    where tail[start] == 0x50 && tail[start + 1] == 0x4B && tail[start + 2] == 5
      && tail[start + 3] == 6
    {
      let comment = Int(tail[start + 20]) | Int(tail[start + 21]) << 8
      if start + endLength + comment == tail.count { return start }
    }
    return nil
  }

  private mutating func readEntry(
    _ reader: inout ByteReader, _ file: MappedFile, end: Int
  ) throws {
    guard try reader.number(4) == 0x0201_4B50 else {
      throw Self.fault(path, "entry \(ranges.count) of the zip directory has no signature")
    }
    _ = try reader.take(4)
    let (flags, method) = (try reader.number(2), try reader.number(2))
    _ = try reader.take(8)
    var (stored, size) = (try reader.number(4), try reader.number(4))
    let lengths = (
      name: try reader.number(2), extra: try reader.number(2), comment: try reader.number(2)
    )
    _ = try reader.take(8)
    var offset = try reader.number(4)
    let name = try reader.take(Int(lengths.name))
    guard let text = String(validating: name, as: UTF8.self) else {
      throw Self.fault(path, "the name of zip entry \(ranges.count) is not UTF-8")
    }
    try Self.widen(&size, &stored, &offset, Array(try reader.take(Int(lengths.extra))))
    _ = try reader.take(Int(lengths.comment))
    guard method == 0, flags & 0x2041 == 0, stored == size else {
      throw CheckpointError(
        .unsupported, file: path, key: text,
        "the zip entry is compressed or encrypted; torch.save stores entries as they are")
    }
    guard offset <= UInt64(end), size <= UInt64(end) else {
      throw CheckpointError(
        .malformed, file: path, key: text,
        "the zip entry should take \(size) bytes from byte \(offset), the entries end at \(end); "
          + "the file is damaged")
    }
    let range = try dataRange(
      of: Array(name), text, at: Int(offset), size: Int(size), file, end: end)
    guard ranges.updateValue(range, forKey: text) == nil else {
      throw CheckpointError(.malformed, file: path, key: text, "two zip entries have this name")
    }
  }

  /// Takes the sizes that do not fit 32 bits from the extra field.
  private static func widen(
    _ size: inout UInt64, _ stored: inout UInt64, _ offset: inout UInt64, _ extra: [UInt8]
  ) throws {
    let full = UInt64(UInt32.max)
    var reader = ByteReader(extra)
    while reader.left >= 4 {
      let (id, length) = (try reader.number(2), Int(try reader.number(2)))
      var field = ByteReader(Array(try reader.take(length)))
      guard id == 1 else { continue }
      if size == full { size = try field.number(8) }
      if stored == full { stored = try field.number(8) }
      if offset == full { offset = try field.number(8) }
    }
  }

  /// Where an entry's data lies, behind its local header.
  private func dataRange(
    of name: [UInt8], _ text: String, at offset: Int, size: Int, _ file: MappedFile, end: Int
  ) throws -> Range<Int> {
    func fault(_ what: String) -> CheckpointError {
      CheckpointError(
        .malformed, file: path, key: text, "the zip entry's header at byte \(offset) \(what)")
    }
    guard offset + Self.localLength + name.count <= end else { throw fault("is cut off") }
    var header = ByteReader(
      try file.copiedBytes(offset..<offset + Self.localLength + name.count))
    guard try header.number(4) == 0x0403_4B50 else { throw fault("has no signature") }
    _ = try header.take(22)
    let (nameLength, extraLength) = (Int(try header.number(2)), Int(try header.number(2)))
    guard nameLength == name.count, Array(try header.take(name.count)) == name else {
      throw fault("has another name than the directory says")
    }
    let start = offset + Self.localLength + nameLength + extraLength
    guard start <= end, size <= end - start else {
      throw fault("leaves no room for its \(size) bytes")
    }
    return start..<start + size
  }

  private func checkOverlaps() throws {
    let ordered = ranges.filter { !$0.value.isEmpty }
      .sorted { $0.value.lowerBound < $1.value.lowerBound }
    for (first, second) in zip(ordered, ordered.dropFirst())
    where first.value.upperBound > second.value.lowerBound {
      throw CheckpointError(
        .malformed, file: path, key: second.key,
        "the zip entry overlaps \"\(JSONError.excerpt(of: first.key))\"")
    }
  }

  private static func fault(_ path: String, _ message: String) -> CheckpointError {
    CheckpointError(.malformed, file: path, message)
  }
}
