import CanonicalJSON
import Foundation

/// Safetensors files of any size that hold zeros and take no room: a header, and a hole behind it.
///
/// They stand for published checkpoints where only names and shapes matter.
public enum HollowFile {
  /// The shapes of a published checkpoint's tensors by key (Tests/Fixtures/singlefile/generate.py): sd15 or sd21.
  public static func published(_ kind: String) throws -> [String: [Int]] {
    var shapes: [String: [Int]] = [:]
    for member in try fixture(kind)["shapes"]?.members ?? [] {
      let shape = member.name.split(separator: ",").compactMap { Int($0) }
      for key in member.value.elements ?? [] {
        if let key = key.string { shapes[key] = shape }
      }
    }
    return shapes
  }

  /// The digest of the names and shapes that diffusers has for a part of a published checkpoint.
  public static func digest(_ kind: String, _ part: String) throws -> String? {
    try fixture(kind)["digests"]?[part]?.string
  }

  /// Writes a file of half-precision zeros.
  public static func write(
    _ shapes: [String: [Int]], to path: String, metadata: [String: String] = [:]
  ) throws {
    var offset: Int64 = 0
    var members: [JSONValue.Member] = []
    if !metadata.isEmpty {
      let notes = metadata.sorted { $0.key < $1.key }.map {
        JSONValue.Member($0.key, .string($0.value))
      }
      members.append(.init("__metadata__", .object(notes)))
    }
    for (key, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      let end = offset + 2 * Int64(shape.reduce(1, *))
      members.append(
        .init(
          key,
          [
            "dtype": "F16", "shape": .array(shape.map { .integer(Int64($0)) }),
            "data_offsets": [.integer(offset), .integer(end)],
          ]))
      offset = end
    }
    let header = Array(JSONValue.object(members).text.utf8)
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    try Data(length + header).write(to: URL(fileURLWithPath: path))
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try handle.truncate(atOffset: UInt64(8 + header.count) + UInt64(offset))
    try handle.close()
  }

  private static func fixture(_ kind: String) throws -> JSONValue {
    let file = Fixture.folder.appendingPathComponent("singlefile/shapes.json")
    return try JSONValue.parse(Data(contentsOf: file))[kind] ?? .null
  }
}
