import CanonicalJSON

/// What a zip archive of stored (not compressed) entries holds, and where.
///
/// Whatever the archive says twice must agree, every entry must lie in front of the directory and apart from every
/// other, and every name must be a path below a folder: where other programs could read the same bytes differently, the
/// file is refused. The archive's checksums are not compared: safetensors have none, and reading gigabytes for them
/// would cost more than the load.
///
/// - Source: PKWARE's application note on the zip format, sections 4.3.7 to 4.3.16 and 4.5.3 (zip64).
struct ZipDirectory {
  /// The longest directory and the most entries that are read.
  static let byteLimit = 16 << 20
  static let entryLimit = 1 << 17
  private static let endLength = 22
  private static let locatorLength = 20
  private static let recordLength = 56
  private static let localLength = 30
  /// The flags of encryption, strong encryption and a hidden directory; that of sizes behind the data.
  private static let encryption: UInt64 = 0x2041
  private static let sizesBehindData: UInt64 = 8

  /// The bytes of each entry's data in the file.
  private(set) var ranges: [String: Range<Int>] = [:]
  /// Where each entry lies with its header.
  private var extents: [(name: String, range: Range<Int>)] = []
  private let path: String

  /// What the directory says of one entry.
  private struct Entry {
    var name: String
    var nameBytes: [UInt8]
    var flags: UInt64
    var size: UInt64
    var offset: UInt64
  }

  /// Reads the directory.
  ///
  /// - Throws: ``CheckpointError`` with the rule that is broken.
  init(_ file: MappedFile) throws {
    path = file.path
    do {
      let place = try Self.place(in: file)
      var reader = ByteReader(try file.copiedBytes(place.range))
      for _ in 0..<place.count {
        try add(try readEntry(&reader), file, end: place.range.lowerBound)
      }
      file.discard(place.range)
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

  /// Where the directory lies, and of how many entries it is.
  private struct Place {
    var count: UInt64
    var length: UInt64
    var offset: UInt64
  }

  /// Finds the directory: by the record at the file's end, or the zip64 one in front of it.
  private static func place(in file: MappedFile) throws -> (range: Range<Int>, count: Int) {
    let tailStart = max(0, file.byteCount - endLength - Int(UInt16.max) - locatorLength)
    let tail = try file.copiedBytes(tailStart..<file.byteCount)
    let end = try endRecord(tail, file.path)
    var reader = ByteReader(tail, at: end + 4)
    let disks = try reader.number(4)
    let counts = (try reader.number(2), try reader.number(2))
    var place = Place(
      count: counts.1, length: try reader.number(4), offset: try reader.number(4))
    guard disks == 0 || disks == 0xFFFF_FFFF, counts.0 == counts.1 else { throw spread(file.path) }
    var follower = tailStart + end
    if end >= locatorLength {
      var locator = ByteReader(tail, at: end - locatorLength)
      if try locator.number(4) == 0x0706_4B50 {
        (place, follower) = try zip64Place(&locator, agreeingWith: place, file)
      }
    }
    let (sum, overflow) = place.offset.addingReportingOverflow(place.length)
    guard !overflow, sum == UInt64(follower) else {
      throw fault(
        file.path,
        "the zip directory should take \(place.length) bytes from byte \(place.offset), but what follows it begins "
          + "at byte \(follower)")
    }
    guard place.length <= UInt64(byteLimit), place.count <= UInt64(entryLimit) else {
      throw fault(
        file.path,
        "the zip directory has \(place.count) entries in \(place.length) bytes, at most \(entryLimit) in "
          + "\(byteLimit) are read")
    }
    return (Int(place.offset)..<Int(sum), Int(place.count))
  }

  /// What the zip64 record says, and where it begins.
  private static func zip64Place(
    _ locator: inout ByteReader, agreeingWith old: Place, _ file: MappedFile
  ) throws -> (Place, Int) {
    let disk = try locator.number(4)
    let start = try locator.number(8)
    guard file.byteCount >= recordLength, start <= UInt64(file.byteCount - recordLength) else {
      throw fault(file.path, "its zip64 record should lie at byte \(start) of \(file.byteCount)")
    }
    var record = ByteReader(try file.copiedBytes(Int(start)..<Int(start) + recordLength))
    guard try record.number(4) == 0x0606_4B50 else {
      throw fault(file.path, "there is no zip64 record at byte \(start), where it should be")
    }
    // The record's own length and two versions.
    _ = try record.take(12)
    let (disks, here) = (try record.number(8), try record.number(8))
    let place = Place(
      count: try record.number(8), length: try record.number(8), offset: try record.number(8))
    guard disk == 0, disks == 0, here == place.count else { throw spread(file.path) }
    let pairs = [
      (old.count, place.count, UInt64(UInt16.max)), (old.length, place.length, UInt64(UInt32.max)),
      (old.offset, place.offset, UInt64(UInt32.max)),
    ]
    guard pairs.allSatisfy({ $0.0 == $0.1 || $0.0 == $0.2 }) else {
      throw fault(
        file.path,
        "the zip archive says that its directory has \(old.count) entries in \(old.length) bytes from byte "
          + "\(old.offset), and by its zip64 record \(place.count) in \(place.length) from \(place.offset)"
      )
    }
    return (place, Int(start))
  }

  /// Where the end record begins: the place with its signature whose comment reaches to the end.
  private static func endRecord(_ tail: [UInt8], _ path: String) throws -> Int {
    var found: Int?
    for start in 0..<max(0, tail.count - endLength + 1)
    where tail[start] == 0x50 && tail[start + 1] == 0x4B && tail[start + 2] == 5
      && tail[start + 3] == 6
    {
      let comment = Int(tail[start + 20]) | Int(tail[start + 21]) << 8
      guard start + endLength + comment == tail.count else { continue }
      guard found == nil else { throw fault(path, "a zip archive with two directories at its end") }
      found = start
    }
    guard let found else {
      throw fault(path, "a zip archive without its directory at the end; it was cut short")
    }
    return found
  }

  private func readEntry(_ reader: inout ByteReader) throws -> Entry {
    guard try reader.number(4) == 0x0201_4B50 else {
      throw Self.fault(path, "entry \(extents.count) of the zip directory has no signature")
    }
    _ = try reader.take(4)
    let (flags, method) = (try reader.number(2), try reader.number(2))
    _ = try reader.take(8)
    let (stored, size) = (try reader.number(4), try reader.number(4))
    let lengths = (
      name: try reader.number(2), extra: try reader.number(2), comment: try reader.number(2)
    )
    let disk = try reader.number(2)
    _ = try reader.take(6)
    let offset = try reader.number(4)
    let name = Array(try reader.take(Int(lengths.name)))
    guard let text = String(validating: name, as: UTF8.self) else {
      throw Self.fault(path, "the name of zip entry \(extents.count) is not UTF-8")
    }
    guard Self.isPath(text) else {
      throw CheckpointError(
        .malformed, file: path, key: text, "the zip entry's name is no path below a folder")
    }
    guard disk == 0 || disk == UInt64(UInt16.max) else { throw Self.spread(path) }
    var numbers = [size, stored, offset]
    try widen(&numbers, Array(try reader.take(Int(lengths.extra))), text)
    _ = try reader.take(Int(lengths.comment))
    guard method == 0, flags & Self.encryption == 0, numbers[0] == numbers[1] else {
      throw CheckpointError(
        .unsupported, file: path, key: text,
        "the zip entry is compressed or encrypted; torch.save stores entries as they are")
    }
    return Entry(
      name: text, nameBytes: name, flags: flags, size: numbers[0], offset: numbers[2])
  }

  private mutating func add(_ entry: Entry, _ file: MappedFile, end: Int) throws {
    guard entry.offset <= UInt64(end), entry.size <= UInt64(end) else {
      throw CheckpointError(
        .malformed, file: path, key: entry.name,
        "the zip entry should take \(entry.size) bytes from byte \(entry.offset), the entries end at \(end); "
          + "the file is damaged")
    }
    let range = try dataRange(of: entry, file, end: end)
    guard ranges.updateValue(range, forKey: entry.name) == nil else {
      throw CheckpointError(
        .malformed, file: path, key: entry.name, "two zip entries have this name")
    }
    extents.append((entry.name, Int(entry.offset)..<range.upperBound))
  }

  /// Whether a name is that of a file, or with a slash at its end of a folder, that lies where the archive is unpacked.
  private static func isPath(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let isFolder = parts.count > 1 && parts.last?.isEmpty == true
    return (isFolder ? parts.dropLast() : parts[...]).allSatisfy { isPlainFileName(String($0)) }
  }

  /// Takes the numbers that do not fit 32 bits from the extra field, where they stand in the same order.
  private func widen(_ numbers: inout [UInt64], _ extra: [UInt8], _ name: String) throws {
    var missing = numbers.indices.filter { numbers[$0] == UInt64(UInt32.max) }[...]
    var reader = ByteReader(extra)
    while reader.left >= 4 {
      let (id, length) = (try reader.number(2), Int(try reader.number(2)))
      guard length <= reader.left else { break }
      var field = ByteReader(Array(try reader.take(length)))
      guard id == 1 else { continue }
      while field.left >= 8, let index = missing.popFirst() { numbers[index] = try field.number(8) }
    }
    guard missing.isEmpty else {
      throw CheckpointError(
        .malformed, file: path, key: name,
        "the zip entry's size or place should stand in a zip64 field, which is missing or too short"
      )
    }
  }

  /// Where an entry's data lies, behind its own header, which must say the same as the directory.
  private func dataRange(of entry: Entry, _ file: MappedFile, end: Int) throws -> Range<Int> {
    let (offset, size) = (Int(entry.offset), Int(entry.size))
    func fault(_ what: String) -> CheckpointError {
      CheckpointError(
        .malformed, file: path, key: entry.name, "the zip entry's header at byte \(offset) \(what)")
    }
    let name = entry.nameBytes
    guard offset + Self.localLength + name.count <= end else { throw fault("is cut off") }
    var header = ByteReader(
      try file.copiedBytes(offset..<offset + Self.localLength + name.count))
    guard try header.number(4) == 0x0403_4B50 else { throw fault("has no signature") }
    _ = try header.take(2)
    let (flags, method) = (try header.number(2), try header.number(2))
    _ = try header.take(8)
    let sizes = [try header.number(4), try header.number(4)]
    let (nameLength, extraLength) = (Int(try header.number(2)), Int(try header.number(2)))
    guard nameLength == name.count, Array(try header.take(name.count)) == name else {
      throw fault("has another name than the directory says")
    }
    guard flags == entry.flags, method == 0 else {
      throw fault("has other flags or another method than the directory says")
    }
    // Sizes may stand behind the data, and in a zip64 field.
    let isLater = flags & Self.sizesBehindData != 0
    guard
      sizes.allSatisfy({ $0 == entry.size || $0 == UInt64(UInt32.max) || isLater && $0 == 0 })
    else { throw fault("has another size than the directory says") }
    let start = offset + Self.localLength + nameLength + extraLength
    guard start <= end, size <= end - start else {
      throw fault("leaves no room for its \(size) bytes")
    }
    return start..<start + size
  }

  private func checkOverlaps() throws {
    let ordered = extents.sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (first, second) in zip(ordered, ordered.dropFirst())
    where first.range.upperBound > second.range.lowerBound {
      throw CheckpointError(
        .malformed, file: path, key: second.name,
        "the zip entry overlaps \"\(JSONError.excerpt(of: first.name))\"")
    }
  }

  private static func spread(_ path: String) -> CheckpointError {
    fault(path, "the zip archive is spread over several files, which is not read here")
  }

  private static func fault(_ path: String, _ message: String) -> CheckpointError {
    CheckpointError(.malformed, file: path, message)
  }
}
