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
    func short(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8)] }
    let pixels = rows.flatMap { $0.flatMap { short(Int($0)) } }
    let tags = [
      (256, rows[0].count), (257, rows.count), (258, 16), (259, 1), (273, 8), (279, pixels.count),
    ]
    try write(
      [0x49, 0x49, 42, 0] + short(8 + pixels.count) + [0, 0] + pixels + short(tags.count)
        + tags.flatMap { short($0.0) + short(3) + [1, 0, 0, 0] + short($0.1) + [0, 0] }
        + [0, 0, 0, 0], to: name)
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
