import CanonicalJSON
import Foundation
import Imaging
import TestSupport
import Testing

/// Small files of masks and pictures, below a folder.
struct DrawnMasks {
  let folder: String

  /// Writes a file, making the folders on the way.
  func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
    let url = URL(fileURLWithPath: "\(folder)/\(name)")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  func write(_ text: String, to name: String) throws { try write(text.utf8, to: name) }

  /// Writes a mask of rows as PNG, ids above 254 being 16 bits; 65535 is ignored.
  func mask(_ rows: [[UInt16]], _ name: String) throws {
    let mask = try LabelMask(width: rows[0].count, height: rows.count, ids: rows.flatMap { $0 })
    let highest = mask.ids.filter { $0 != LabelMask.ignored }.max() ?? 0
    try write(
      PNGCodec.encode(mask, depth: LabelMask.Depth(highestID: Int(highest))), to: name)
  }

  /// Writes a mask of rows as plain TIFF of 16 bits.
  func tiff(_ rows: [[UInt16]], _ name: String) throws {
    let count = rows.count * rows[0].count
    var bytes: [UInt8] = [0x49, 0x49, 42, 0]
    func add(_ value: Int) { bytes += [UInt8(value & 255), UInt8(value >> 8)] }
    add(8 + 2 * count)
    add(0)
    for row in rows { for value in row { add(Int(value)) } }
    let tags: [(number: Int, value: Int)] = [
      (256, rows[0].count), (257, rows.count), (258, 16), (259, 1), (273, 8), (279, 2 * count),
    ]
    add(tags.count)
    for tag in tags { for value: Int in [tag.number, 3, 1, 0, tag.value, 0] { add(value) } }
    try write(bytes + [UInt8](repeating: 0, count: 4), to: name)
  }

  /// Writes a grey picture.
  func picture(width: Int, height: Int, _ name: String) throws {
    let image = try PixelImage(
      width: width, height: height, channels: .rgb,
      samples: (0..<width * height * 3).map { UInt8($0 % 251) })
    try write(PNGCodec.encode(image), to: name)
  }

  /// The result of `triptych evaluate` in this folder.
  func evaluate(
    _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> JSONValue {
    let outcome = try await Program.run(["evaluate"] + arguments + ["--json"], in: folder)
    #expect(outcome.code == 0, "\(outcome.error)", sourceLocation: sourceLocation)
    let result = try JSONValue.parse(
      Array(try #require(outcome.lines.last, sourceLocation: sourceLocation).utf8))
    #expect(result["event"] == "result", sourceLocation: sourceLocation)
    return result
  }
}

/// Whether a figure has a value, to the six places that are written.
func isNear(_ value: JSONValue?, _ expected: Double) -> Bool {
  value?.number.map { abs($0 - expected) < 1e-6 } ?? false
}
