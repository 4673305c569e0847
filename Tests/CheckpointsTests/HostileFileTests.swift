import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

/// Damaged and malicious files end in an error, never in a trap.
@Suite struct HostileFileTests {
  @Test func everyTruncationOfAFileIsRefused() throws {
    let bytes = try fileBytes(fixturePath("every-type.safetensors"))
    let folder = try TemporaryFolder()
    for count in 0..<bytes.count {
      let path = try folder.write(Array(bytes[0..<count]), to: "x.safetensors")
      let error = try refusal { try SafetensorsFile(path: path) }
      #expect(error.code == .malformed, "\(count) bytes: \(error)")
    }
    for extra in [1, 7, 8, 4096] {
      let error = try refusal(opening: bytes + [UInt8](repeating: 0, count: extra))
      #expect(error.message.contains("\(extra) trailing bytes"))
    }
  }

  @Test func everySingleBitFlipOfTheHeaderLoadsOrThrows() throws {
    let bytes = try fileBytes(fixturePath("writer-f16.safetensors"))
    let folder = try TemporaryFolder()
    var refused = 0
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      refused += try loadsOrThrows(flipped, in: folder) ? 0 : 1
    }
    print("bit flips refused: \(refused) of \(bytes.count * 8)")
    #expect(refused > 1000)
  }

  @Test(arguments: ["every-type.safetensors", "writer-bf16.safetensors"])
  func seededRandomDamageLoadsOrThrows(_ name: String) throws {
    let bytes = try fileBytes(fixturePath(name))
    let folder = try TemporaryFolder()
    var random = SeededGenerator(seed: 3)
    var refused = 0
    let cases = 4000
    for _ in 0..<cases {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<damaged.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: damaged[place] = .random(in: 0...255, using: &random)
        case 1: damaged.remove(at: place)
        case 2: damaged.insert(.random(in: 0...255, using: &random), at: place)
        default:
          damaged[place] = random.choose(Array("0123456789{}[],:\"-e.".utf8))
        }
      }
      refused += try loadsOrThrows(damaged, in: folder) ? 0 : 1
    }
    print("\(name): damaged files refused: \(refused) of \(cases)")
    #expect(refused > cases / 2)
  }

  @Test func deepNestingIsRefused() throws {
    for opening in ["[", "{\"a\":"] {
      let deep = String(repeating: opening, count: 200_000)
      for header in [
        "{\"w\":" + deep, "{\"__metadata__\":" + deep, "{\"w\":{\"dtype\":" + deep,
        "{\"w\":{\"shape\":" + deep, "{\"w\":{\"data_offsets\":[" + deep, "{\"w\":{\"x\":" + deep,
      ] {
        #expect(try refusal(opening: safetensors(header)).code == .malformed)
      }
    }
  }

  @Test func manyTensorsOnOneRangeAreRefused() throws {
    let entries = (0..<20_000).map { entry("k\($0)", "F32", "[256]", 0, 1024) }
    let error = try refusal(
      opening: safetensors("{\(entries.joined(separator: ","))}", dataCount: 1024))
    #expect(error.message.contains("they overlap"))
  }

  @Test func aHundredThousandTensorsAreRead() throws {
    let count = 100_000
    let folder = try TemporaryFolder()
    let entries = (0..<count).map {
      entry("block.\($0).attention.to_q.weight", "F16", "[1,2]", $0 * 4, $0 * 4 + 4)
    }
    let path = try folder.write(
      safetensors("{\(entries.joined(separator: ","))}", dataCount: count * 4), to: "many")
    let file = try SafetensorsFile(path: path)
    #expect(file.keys.count == count)
    #expect(file.parameterCount == 2 * count)
    #expect(file.byteRange("block.99999.attention.to_q.weight")?.upperBound == file.byteCount)
  }

  /// Eight megabytes of what a header may be stuffed with; the same ends the same way at 100 MB.
  @Test(arguments: [
    ("{", " "), ("{\"", "a"), ("{\"__metadata__\":{\"a\":\"", "\\"), ("{\"a\":{\"shape\":[", "9"),
    ("{\"a\":{\"shape\":[", "1,"), ("{\"a\":", "["), ("{", "\u{0}"), ("{", "\"a\":{},"), ("{", "{"),
    ("{\"__metadata__\":{", "\"a\":\"\","),
  ])
  func largeHeadersOfJunkAreRefused(_ start: String, _ junk: String) throws {
    var header = Array(start.utf8)
    let piece = Array(junk.utf8)
    header.reserveCapacity(8 << 20)
    while header.count < 8 << 20 { header.append(contentsOf: piece) }
    #expect(try refusal(opening: safetensors(header)).code == .malformed)
  }

  @Test func hostileKeysDoNotBreakTheMessageIntoLines() throws {
    let header = "{\"a\\nb\\u001b[31m\(String(repeating: "x", count: 5000))\":1}"
    let error = try refusal(opening: safetensors(header))
    #expect(!error.description.contains("\u{1b}"))
    #expect(error.description.utf8.count < 500)
  }

  @Test func aFileCutShortAfterOpeningIsRefusedAtTheNextRead() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      safetensors("{\(entry("w", "F32", "[65536]", 0, 262144))}", dataCount: 262144), to: "w")
    let file = try SafetensorsFile(path: path)
    #expect(try file.tensor("w").values.allSatisfy { $0 == 0 })
    #expect(truncate(path, 100) == 0)
    let error = try refusal { try file.tensor("w") }
    #expect(error.code == .unreadable && error.message.contains("cut short while in use"))
    #expect(try refusal { try file.doubles("w") }.code == .unreadable)
    #expect(try refusal { try file.integers("w") }.code == .unreadable)
  }

  @Test func aFileReplacedByRenameStaysReadable() throws {
    let folder = try TemporaryFolder()
    let bytes = try fileBytes(fixturePath("every-type.safetensors"))
    let file = try SafetensorsFile(path: try folder.write(bytes, to: "w"))
    #expect(rename(try folder.write([1], to: "v"), folder["w"]) == 0)
    try readEverything(file)
  }

  private func loadsOrThrows(_ bytes: [UInt8], in folder: TemporaryFolder) throws -> Bool {
    let path = try folder.write(bytes, to: "x.safetensors")
    do {
      try readEverything(try SafetensorsFile(path: path))
      return true
    } catch let error as CheckpointError {
      #expect([.malformed, .unsupported, .notFinite].contains(error.code), "\(error)")
      return false
    }
  }
}
