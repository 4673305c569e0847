import Imaging
import TestSupport
import Testing

/// Whatever the bytes are, decoding gives a picture or an ``ImagingError``.
struct HostilePNGTests {
  static let files = [
    "rgb.png", "rgba.png", "grey.png", "palette.png", "palette4.png", "grey16.png",
    "interlaced.png", "bilevel.png",
  ]

  /// How reading went, for both readers.
  private func outcomes(_ bytes: [UInt8]) -> [ImagingError.Code?] {
    [
      outcome { _ = try PNGCodec.decodeImage(bytes) },
      outcome { _ = try PNGCodec.decodeMask(bytes) },
      outcome { _ = try PNGCodec.decodeImage(bytes, keepsGrey: true) },
    ]
  }

  private func outcome(_ body: () throws -> Void) -> ImagingError.Code? {
    do {
      try body()
      return nil
    } catch let error as ImagingError {
      #expect(error.message.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
      return error.code
    } catch {
      Issue.record("\(error)")
      return nil
    }
  }

  @Test(arguments: files) func everyTruncationIsRefused(_ name: String) throws {
    let file = try fixture(name)
    for count in 0..<file.count {
      for outcome in outcomes(Array(file[..<count])) { #expect(outcome != nil) }
    }
  }

  @Test(arguments: files) func everyFlippedBitIsRefused(_ name: String) throws {
    let file = try fixture(name)
    for position in file.indices {
      for bit in 0..<8 {
        var changed = file
        changed[position] ^= 1 << bit
        for outcome in outcomes(changed) { #expect(outcome != nil, "byte \(position) bit \(bit)") }
      }
    }
  }

  @Test(arguments: files) func flippedBytesWithRightChecksumsNeverTrap(_ name: String) throws {
    let file = try fixture(name)
    var random = SeededGenerator(seed: 3)
    for _ in 0..<3000 {
      var chunks = chunks(of: file)
      let which = Int.random(in: 0..<chunks.count, using: &random)
      for _ in 0..<Int.random(in: 1...4, using: &random) where !chunks[which].data.isEmpty {
        let position = Int.random(in: 0..<chunks[which].data.count, using: &random)
        chunks[which].data[position] = UInt8.random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) { chunks.swapAt(which, chunks.count / 2) }
      _ = outcomes(
        RawPNG.signature + chunks.flatMap { RawPNG.chunk($0.name, $0.data) })
    }
  }

  private func chunks(of file: [UInt8]) -> [(name: String, data: [UInt8])] {
    var chunks: [(name: String, data: [UInt8])] = []
    var position = 8
    while position + 12 <= file.count {
      let size = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let name = String(decoding: file[position + 4..<position + 8], as: UTF8.self)
      chunks.append((name, Array(file[position + 8..<position + 8 + size])))
      position += size + 12
    }
    return chunks
  }

  @Test func noiseIsRefused() {
    var random = SeededGenerator(seed: 5)
    for count in 0..<300 {
      let noise = random.bytes(count)
      #expect(outcomes(noise).allSatisfy { $0 == .malformed })
      #expect(outcomes(RawPNG.signature + noise).allSatisfy { $0 != nil })
    }
  }

  @Test func animationsAreRefused() throws {
    let control = RawPNG.chunk("acTL", [0, 0, 0, 2, 0, 0, 0, 0])
    let file = RawPNG.inserting(control, into: try fixture("rgb.png"))
    #expect(outcomes(file).allSatisfy { $0 == .unsupported })
  }

  @Test func trailingBytesAreRefused() throws {
    let file = try fixture("grey.png")
    for tail in [[0], Array("PK".utf8), file] {
      #expect(outcomes(file + tail).allSatisfy { $0 == .malformed })
    }
  }

  @Test func sizesBeyondTheLimitAreRefusedBeforeAnyMemoryIsTaken() {
    for (width, height) in [(UInt32(8193), UInt32(1)), (1, 8193), (0x7fff_ffff, 0x7fff_ffff)] {
      let file =
        RawPNG.signature + RawPNG.header(width: width, height: height)
        + RawPNG.chunk("IDAT", [1]) + RawPNG.chunk("IEND", [])
      #expect(outcomes(file).allSatisfy { $0 == .tooLarge })
    }
    for (width, height) in [(UInt32(0), UInt32(1)), (1, 0)] {
      let file = RawPNG.signature + RawPNG.header(width: width, height: height)
      #expect(outcomes(file).allSatisfy { $0 == .malformed })
    }
  }

  @Test func aLargePictureOfFewBytesIsRefused() {
    let file =
      RawPNG.signature + RawPNG.header(width: 8192, height: 8192)
      + RawPNG.chunk("IDAT", [UInt8](repeating: 0, count: 100)) + RawPNG.chunk("IEND", [])
    #expect(outcomes(file).allSatisfy { $0 == .malformed })
  }

  @Test func tooManyOrTooLargeChunksAreRefused() throws {
    let file = try fixture("grey.png")
    let chunk = RawPNG.chunk("tEXt", Array("k\u{0}v".utf8))
    let fine = RawPNG.inserting((0..<64).flatMap { _ in chunk }, into: file)
    let many = RawPNG.inserting((0..<65).flatMap { _ in chunk }, into: file)
    #expect(outcomes(many).allSatisfy { $0 == .tooLarge })
    #expect(try PNGCodec.decodeImage(fine).texts.count == 64)
    let large = RawPNG.chunk("zzZz", [UInt8](repeating: 0, count: 1 << 20 + 1))
    #expect(outcomes(RawPNG.inserting(large, into: file)).allSatisfy { $0 == .tooLarge })
  }

  @Test func unknownCriticalChunksAreRefusedAndAncillaryOnesAreSkipped() throws {
    let file = try fixture("grey.png")
    let critical = RawPNG.inserting(RawPNG.chunk("ABCD", [1]), into: file)
    #expect(outcomes(critical).allSatisfy { $0 != nil })
    let skipped = ["iCCP", "gAMA", "tIME", "eXIf", "abCd"].flatMap { RawPNG.chunk($0, [1, 2, 3]) }
    let image = try PNGCodec.decodeImage(RawPNG.inserting(skipped, into: file)).pixels
    #expect(image.samples == (try fixture("grey.rgb.bin")))
  }

  @Test func textsThatAreNotUTF8AreRefused() throws {
    let chunk = RawPNG.chunk(
      "iTXt", Array("triptych\u{0}\u{0}\u{0}\u{0}\u{0}".utf8) + [0xff, 0xfe])
    let file = RawPNG.inserting(chunk, into: try fixture("grey.png"))
    #expect(outcomes(file)[0] == .malformed)
  }

  @Test func picturesAreNoMasks() throws {
    for name in ["rgb.png", "rgba.png", "grey-alpha.png"] {
      let file = try fixture(name)
      #expect(outcome { _ = try PNGCodec.decodeMask(file) } == .unsupported)
    }
  }
}
