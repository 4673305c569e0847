import Foundation
import Imaging
import TestSupport

/// The bytes of a file of Tests/Fixtures/imaging.
func fixture(_ name: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: Fixture.folder.appending(path: "imaging/\(name)")))
}

/// Little-endian single precision numbers of a fixture.
func floatFixture(_ name: String) throws -> [Float] {
  let bytes = try fixture(name)
  return stride(from: 0, to: bytes.count, by: 4).map { start in
    Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
  }
}

/// PNG files put together by hand.
enum RawPNG {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  static func bigEndian(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) }
  }

  static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + data
    return bigEndian(UInt32(data.count)) + body + bigEndian(checksum(body))
  }

  static func header(
    width: UInt32, height: UInt32, depth: UInt8 = 8, type: UInt8 = 2
  ) -> [UInt8] {
    chunk("IHDR", bigEndian(width) + bigEndian(height) + [depth, type, 0, 0, 0])
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xffff_ffff
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }
    return ~value
  }

  /// The file with a chunk put in before the first IDAT.
  static func inserting(_ chunk: [UInt8], into file: [UInt8]) -> [UInt8] {
    let name = Array("IDAT".utf8)
    let index =
      (0..<file.count - 4).first { Array(file[$0..<$0 + 4]) == name }.map { $0 - 4 } ?? 33
    return Array(file[..<index]) + chunk + Array(file[index...])
  }
}
