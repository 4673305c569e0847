import Checkpoints
import Foundation
import TestSupport
import TextConditioning
import Testing

/// CLIP's tokenizer from a list of merges alone.
@Suite struct MergesFileTests {
  private static let texts = [
    "a photo of a dog.", "Wooden_spoon", "Zug\u{308}spitze 42's", "<|endoftext|>x", "🐕 été  ok", "",
  ]

  /// Bytes in gzip's format, stored as they are.
  private func gzipped(_ bytes: [UInt8]) -> [UInt8] {
    func little(_ number: Int, _ count: Int) -> [UInt8] { ZipArchive.little(number, count) }
    var out: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    for start in stride(from: 0, to: bytes.count, by: 65_535) {
      let piece = bytes[start..<min(bytes.count, start + 65_535)]
      out += [start + piece.count == bytes.count ? 1 : 0]
      out += little(piece.count, 2) + little(piece.count ^ 0xffff, 2) + piece
    }
    var sum: UInt32 = 0xffff_ffff
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    return out + little(Int(~sum), 4) + little(bytes.count, 4)
  }

  @Test func aListOfMergesGivesTheIDsOfTheWholeFolder() throws {
    let whole = try TextFixtures.tokenizer("sd1")
    let merges = [UInt8](try TextFixtures.data("clip/merges.txt"))
    // OpenAI's list has a head of its own and goes on behind CLIP's merges.
    let lines = merges.split(separator: UInt8(ascii: "\n")).dropFirst()
    let openAI =
      Array("\"bpe_simple_vocab_16e6.txt#version: 0.2\n".utf8)
      + lines.joined(separator: [UInt8(ascii: "\n")]) + Array("\nth is</w>\nx never</w>\n".utf8)
    let folder = try TemporaryFolder()
    try folder.write(merges, to: "list/merges.txt")
    try folder.write(openAI, to: "bpe_simple_vocab_16e6.txt")
    try folder.write(gzipped(openAI), to: "packed/bpe_simple_vocab_16e6.txt.gz")
    for path in [
      "list", "list/merges.txt", "bpe_simple_vocab_16e6.txt", "packed",
      "packed/bpe_simple_vocab_16e6.txt.gz",
    ] {
      let tokenizer = try CLIPTokenizer(path: folder[path], padding: .zero)
      #expect(tokenizer.beginID == 49_406 && tokenizer.endID == 49_407, "\(path)")
      #expect(tokenizer.largestID == 49_407 && tokenizer.length == 77 && tokenizer.padID == 0)
      for text in Self.texts {
        #expect(tokenizer.encode(text) == whole.encode(text), "\(path): \(text)")
      }
    }
    let padded = try CLIPTokenizer(path: folder["list"], padding: .end)
    #expect(padded("dog") == whole("dog"))
  }

  @Test func foldersAreReadWithOrWithoutTheModelAroundThem() throws {
    let expected = try TextFixtures.tokenizer("small")("a photo of a dog")
    for path in ["text/small", "diffusion/tiny-sd1"] {
      let place = Fixture.folder.appendingPathComponent(path).path
      #expect(try CLIPTokenizer(path: place, padding: .end)("a photo of a dog") == expected)
    }
  }

  @Test func listsThatAreNoneAreRefusedWithTheLine() throws {
    let folder = try TemporaryFolder()
    let packed = gzipped(Array("#version: 0.2\na b\n".utf8))
    let bomb = gzipped([UInt8](repeating: 10, count: (16 << 20) + 1))
    for (bytes, part) in [
      (Array("#version: 0.2\na b c\n".utf8), "line 2: found 3 words"),
      (Array("#version: 0.2\na b\nab xy\n".utf8), "line 3: no line before makes the piece \"xy\""),
      (Array("#version: 0.2\n".utf8), "no merges"), ([], "no merges"),
      ([0xff, 0xfe, 0x20], "not valid UTF-8"), (Array(packed.dropLast(3)), "damaged or cut short"),
      (packed + [0], "damaged or cut short"), (Array(bomb.prefix(40)), "damaged or cut short"),
      (Array(packed.prefix(12)) + [9] + packed.dropFirst(13), "damaged or cut short"),
    ] as [([UInt8], String)] {
      try folder.write(bytes, to: "list")
      let error = try #require(throws: CheckpointError.self) {
        try CLIPTokenizer(path: folder["list"], padding: .zero)
      }
      #expect("\(error)".contains(part), "\(error)")
    }
    let error = try #require(throws: CheckpointError.self) {
      try CLIPTokenizer(path: folder["none"], padding: .zero)
    }
    #expect(error.code == .missingFile)
  }
}
