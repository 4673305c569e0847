import CanonicalJSON
import TensorCore

/// The table at the start of a safetensors file, every rule of the format checked.
///
/// - Source: the format section of the safetensors README.
struct SafetensorsHeader {
  /// Where and how one tensor is stored.
  struct Entry {
    var record: TensorRecord
    /// The number of elements.
    var count: Int
    /// Bytes in the file.
    var range: Range<Int>
  }

  /// The longest header that is read.
  static let byteLimit = 100_000_000
  /// The most axes of one tensor; frameworks stop at the same number.
  static let axisLimit = 64

  private(set) var metadata: [String: String] = [:]
  private(set) var entries: [String: Entry] = [:]

  private let file: String
  private let dataStart: Int
  private let dataCount: Int

  /// Reads and checks the header.
  ///
  /// - Parameters:
  ///   - bytes: the whole file; only the header is touched.
  ///   - file: its name, for messages.
  /// - Throws: ``CheckpointError`` with the rule that is broken.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
    self.file = file
    guard bytes.count >= 8 else {
      throw CheckpointError(
        .malformed, file: file,
        "found \(bytes.count) bytes, a safetensors file has at least 8; it was cut short")
    }
    let length = unsafe UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(Self.byteLimit) else {
      throw CheckpointError(
        .malformed, file: file,
        "the header claims \(length) bytes, at most \(Self.byteLimit) are allowed; "
          + "this is not a safetensors file or it is damaged")
    }
    let headerCount = Int(length)
    guard headerCount <= bytes.count - 8 else {
      throw CheckpointError(
        .malformed, file: file,
        "the header claims \(headerCount) bytes, the file has \(bytes.count - 8) after its first 8; "
          + "it was cut short")
    }
    dataStart = 8 + headerCount
    dataCount = bytes.count - dataStart
    let text = unsafe UnsafeRawBufferPointer(rebasing: bytes[8..<8 + headerCount])
    guard unsafe text.first == UInt8(ascii: "{") else {
      throw unsafe CheckpointError(
        .malformed, file: file,
        text.first.map { "the header begins with byte \($0), expected '{'" }
          ?? "the header is empty, expected '{'")
    }
    try unsafe text.withMemoryRebound(to: UInt8.self) { try unsafe read($0) }
    try checkCoverage()
  }

  private mutating func read(_ text: UnsafeBufferPointer<UInt8>) throws {
    // Padding is spaces only, so JSON's other white space behind the object is refused.
    let padding = unsafe text.reversed().prefix { $0 == 0x20 }.count
    var reader = unsafe JSONReader(UnsafeBufferPointer(rebasing: text.dropLast(padding)))
    var key: String?
    do {
      var object = try reader.beginObject()
      while let name = try reader.nextName(in: &object) {
        key = name
        if name == "__metadata__" {
          try readMetadata(&reader)
        } else {
          entries[name] = try readEntry(name, &reader)
        }
        key = nil
      }
      if reader.offset != text.count - padding {
        throw JSONError(
          offset: reader.offset, message: "found more after the object, expected only spaces")
      }
    } catch let error as JSONError {
      throw CheckpointError(
        .malformed, file: file, key: key, "the header is not valid: \(error)")
    }
  }

  private mutating func readMetadata(_ reader: inout JSONReader) throws {
    var object = try reader.beginObject()
    while let name = try reader.nextName(in: &object) { metadata[name] = try reader.string() }
  }

  private func readEntry(_ key: String, _ reader: inout JSONReader) throws -> Entry {
    var type: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    var object = try reader.beginObject()
    while let name = try reader.nextName(in: &object) {
      switch name {
      case "dtype": type = try readType(key, &reader)
      case "shape": shape = try readLengths(key, "shape", limit: Self.axisLimit, &reader)
      case "data_offsets": offsets = try readLengths(key, "data_offsets", limit: 2, &reader)
      default:
        throw fault(
          key,
          "found the field \"\(JSONError.excerpt(of: name))\", expected only dtype, shape "
            + "and data_offsets")
      }
    }
    guard let type else { throw fault(key, "the field dtype is missing") }
    guard let shape else { throw fault(key, "the field shape is missing") }
    guard let offsets else { throw fault(key, "the field data_offsets is missing") }
    return try checkedEntry(key, type, shape, offsets)
  }

  private func readType(_ key: String, _ reader: inout JSONReader) throws -> ElementType {
    let name = try reader.string()
    guard let type = ElementType(rawValue: name) else {
      let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw CheckpointError(
        .unsupported, file: file, key: key,
        "elements of type \"\(JSONError.excerpt(of: name))\" are not read here; known are \(known)")
    }
    return type
  }

  private func readLengths(
    _ key: String, _ field: String, limit: Int, _ reader: inout JSONReader
  ) throws -> [Int] {
    var array = try reader.beginArray()
    var lengths: [Int] = []
    while try reader.nextElement(in: &array) {
      let number = try reader.wholeNumber()
      guard let length = Int(exactly: number), length >= 0 else {
        throw fault(key, "\(field) holds \(number), expected numbers from 0")
      }
      guard lengths.count < limit else {
        throw fault(key, "\(field) holds more than \(limit) numbers")
      }
      lengths.append(length)
    }
    return lengths
  }

  private func checkedEntry(
    _ key: String, _ type: ElementType, _ shape: [Int], _ offsets: [Int]
  ) throws -> Entry {
    guard offsets.count == 2 else {
      throw fault(key, "data_offsets holds \(offsets.count) number(s), expected begin and end")
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end else {
      throw fault(key, "data_offsets end at \(end), before their begin \(begin)")
    }
    guard end <= dataCount else {
      throw fault(
        key, "data_offsets end at \(end), the file has \(dataCount) bytes of data; it was cut short"
      )
    }
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow else {
        throw fault(key, "shape \(shape) has more elements than 64 bits count")
      }
      count = product
    }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
    guard !overflow else { throw fault(key, "shape \(shape) takes more bytes than 64 bits count") }
    guard byteCount == end - begin else {
      throw fault(
        key,
        "\(type.rawValue) of shape \(shape) takes \(byteCount) bytes, data_offsets span "
          + "\(end - begin)")
    }
    return Entry(
      record: TensorRecord(type: type, shape: shape), count: count,
      range: dataStart + begin..<dataStart + end)
  }

  /// In the order of their offsets the tensors must touch each other and fill the data area.
  private func checkCoverage() throws {
    let ordered = entries.map { (key: $0.key, range: $0.value.range) }.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var covered = dataStart
    var last: String?
    for (key, range) in ordered {
      let before = last.map { "tensor \"\(JSONError.excerpt(of: $0))\" ends" } ?? "the data begins"
      guard range.lowerBound >= covered else {
        throw fault(
          key,
          "data_offsets begin at \(range.lowerBound - dataStart), but \(before) at "
            + "\(covered - dataStart): they overlap")
      }
      guard range.lowerBound == covered else {
        throw fault(
          key,
          "data_offsets begin at \(range.lowerBound - dataStart), but \(before) at "
            + "\(covered - dataStart): a hole of \(range.lowerBound - covered) bytes")
      }
      covered = range.upperBound
      last = key
    }
    guard covered == dataStart + dataCount else {
      throw CheckpointError(
        .malformed, file: file,
        "the tensors end at byte \(covered - dataStart) of the data, but the file has \(dataCount): "
          + "\(dataStart + dataCount - covered) trailing bytes")
    }
  }

  private func fault(_ key: String, _ message: String) -> CheckpointError {
    CheckpointError(.malformed, file: file, key: key, message)
  }
}
