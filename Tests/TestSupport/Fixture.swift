import CanonicalJSON
public import Checkpoints
public import Foundation
public import TensorCore

/// A safetensors file under Tests/Fixtures, read without the code under test.
///
/// Floats of every width, whole numbers and bytes are all handed out as floats or integers; a fixture that is
/// not as expected is a bug of the tests and throws with the name of the tensor.
public struct Fixture: Sendable {
  /// A fixture that is not as a test expects it.
  public struct Fault: Error, CustomStringConvertible {
    /// What is wrong, with file and tensor.
    public let description: String
  }

  private struct Entry: Sendable {
    var type: ElementType
    var shape: [Int]
    var bytes: Range<Int>
  }

  /// The file, for messages.
  public let name: String
  /// The file's notes: versions, seeds, settings.
  public let metadata: [String: String]
  private let data: [UInt8]
  private let entries: [String: Entry]

  /// The folder Tests/Fixtures of the source tree.
  public static var folder: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures")
  }

  /// Opens the file at `path` below Tests/Fixtures.
  public init(_ path: String) throws {
    try self.init(file: Self.folder.appendingPathComponent(path), name: path)
  }

  /// Opens any safetensors file.
  public init(file: URL, name: String) throws {
    let data = [UInt8](try Data(contentsOf: file))
    guard data.count >= 8 else { throw Fault(description: "\(name): shorter than its header") }
    let length = (0..<8).reduce(0) { $0 | Int(data[$1]) << (8 * $1) }
    let start = 8 + length
    guard length >= 0, start <= data.count else {
      throw Fault(description: "\(name): header of \(length) bytes in a file of \(data.count)")
    }
    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]
    for member in try JSONValue.parse(data[8..<start]).members ?? [] {
      if member.name == "__metadata__" {
        let notes = try JSONValue.parse((member.value["notes"]?.string ?? "{}").utf8)
        for note in notes.members ?? [] { metadata[note.name] = note.value.string }
        continue
      }
      guard let type = member.value["dtype"]?.string.flatMap(ElementType.init),
        let shape = member.value["shape"]?.elements?.compactMap(\.integer),
        let offsets = member.value["data_offsets"]?.elements?.compactMap(\.integer),
        offsets.count == 2, offsets[0] <= offsets[1], start + offsets[1] <= data.count
      else { throw Fault(description: "\(name): \(member.name) is malformed") }
      entries[member.name] = Entry(
        type: type, shape: shape, bytes: start + offsets[0]..<start + offsets[1])
    }
    self.name = name
    self.metadata = metadata
    self.data = data
    self.entries = entries
  }

  /// Every tensor's name, sorted.
  public var keys: [String] { entries.keys.sorted() }

  /// The tensor `key`, widened to single precision.
  public func tensor(_ key: String) throws -> Tensor {
    let entry = try entry(key)
    return Tensor(try floats(key, entry), shape: entry.shape)
  }

  /// The feature map `key`, stored N C H W, as N H W C.
  public func map(_ key: String) throws -> Tensor { try tensor(key).channelsLast() }

  /// The whole numbers of `key` in order.
  public func integers(_ key: String) throws -> [Int] {
    let entry = try entry(key)
    let size = entry.type.byteCount
    switch entry.type {
    case .uint8, .bool:
      return data[entry.bytes].map(Int.init)
    case .int32, .int64:
      return stride(from: entry.bytes.lowerBound, to: entry.bytes.upperBound, by: size).map { at in
        let bits = bits(at, size)
        return size == 4
          ? Int(Int32(truncatingIfNeeded: bits)) : Int(Int64(truncatingIfNeeded: bits))
      }
    default:
      throw Fault(description: "\(name): \(key) holds \(entry.type.rawValue), not whole numbers")
    }
  }

  /// The bytes of `key`, as they are stored.
  public func bytes(_ key: String) throws -> [UInt8] { Array(data[try entry(key).bytes]) }

  /// The shape of `key`.
  public func shape(_ key: String) throws -> [Int] { try entry(key).shape }

  /// The tensors whose names begin with `prefix`, under the rest of their names, as a model's weights.
  public func weights(_ prefix: String = "") -> WeightScope {
    WeightScope(FixtureWeights(fixture: self, prefix: prefix))
  }

  /// The JSON text stored as a note.
  public func note(_ key: String) throws -> String {
    guard let note = metadata[key] else { throw Fault(description: "\(name): no note \(key)") }
    return note
  }

  private func entry(_ key: String) throws -> Entry {
    guard let entry = entries[key] else { throw Fault(description: "\(name): no tensor \(key)") }
    return entry
  }

  private func bits(_ at: Int, _ size: Int) -> UInt64 {
    (0..<size).reduce(0) { $0 | UInt64(data[at + $1]) << (8 * UInt64($1)) }
  }

  private func floats(_ key: String, _ entry: Entry) throws -> [Float] {
    let size = entry.type.byteCount
    let places = stride(from: entry.bytes.lowerBound, to: entry.bytes.upperBound, by: size)
    switch entry.type {
    case .float32:
      return places.map { Float(bitPattern: UInt32(truncatingIfNeeded: bits($0, 4))) }
    case .bfloat16:
      return places.map { Float(bitPattern: UInt32(truncatingIfNeeded: bits($0, 2)) << 16) }
    case .float16:
      return places.map { Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits($0, 2)))) }
    case .float64:
      return places.map { Float(Double(bitPattern: bits($0, 8))) }
    default:
      return try integers(key).map(Float.init)
    }
  }

  fileprivate func record(_ key: String) -> TensorRecord? {
    entries[key].map { TensorRecord(type: $0.type, shape: $0.shape) }
  }
}

/// A part of a fixture as a source of weights.
private struct FixtureWeights: WeightSource {
  let fixture: Fixture
  let prefix: String

  var name: String { fixture.name }

  var keys: [String] {
    fixture.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
  }

  func record(_ key: String) -> TensorRecord? { fixture.record(prefix + key) }

  func tensor(_ key: String) throws -> Tensor { try fixture.tensor(prefix + key) }
}
