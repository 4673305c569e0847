import Imaging
import TestSupport
import Testing

/// Masks of TIFF files in every packing, and files that are none.
@Suite struct TIFFCodecTests {
  static let files = [
    "plain16", "big16", "lzw16", "lzw16.differences", "deflate16.differences", "plain8", "lzw8",
    "deflate8", "packbits8",
  ]

  @Test(arguments: files)
  func valuesAreRead(name: String) throws {
    let mask = try TIFFCodec.decodeMask(fixture("\(name).tif"))
    #expect(mask.width == 90 && mask.height == 61)
    let isNarrow = name.hasSuffix("8")
    for y in 0..<mask.height {
      for x in 0..<mask.width {
        var value = (31 * x * x + 17 * y * y + 7 * x * y) % 459
        if isNarrow { value %= 251 }
        if name == "packbits8" { value = value / 40 * 40 }
        #expect(Int(mask[x, y]) == value)
      }
    }
  }

  @Test func aFilesHighestValueIsIgnored() throws {
    // Two pixels of 8 bits, 254 and 255.
    let bytes: [UInt8] =
      [0x49, 0x49, 42, 0, 10, 0, 0, 0, 254, 255]
      + directory([(256, 2), (257, 1), (258, 8), (259, 1), (273, 8), (279, 2)])
    #expect(try TIFFCodec.decodeMask(bytes).ids == [254, LabelMask.ignored])
  }

  @Test(arguments: [
    ([(256, 2), (257, 1), (258, 8), (259, 1), (273, 8), (279, 200)], "beyond the file's end"),
    ([(256, 20000), (257, 1), (258, 8), (259, 1), (273, 8), (279, 2)], "1 to 8192"),
    ([(256, 2), (257, 1), (258, 1), (259, 1), (273, 8), (279, 2)], "8 or 16 bits"),
    ([(256, 2), (257, 1), (258, 8), (259, 7), (273, 8), (279, 2)], "method 7"),
    ([(256, 2), (257, 1), (258, 8), (259, 1), (277, 3), (273, 8), (279, 2)], "one sample"),
    ([(256, 2), (257, 1), (258, 8), (259, 5), (317, 3), (273, 8), (279, 2)], "predictor 3"),
    ([(256, 2), (257, 9), (278, 1), (258, 8), (259, 1), (273, 8), (279, 2)], "of 9 strips"),
    ([(257, 1), (258, 8)], "no tag 256"),
  ])
  func whatIsNoMaskIsRefused(tags: [(UInt16, UInt16)], part: String) {
    let bytes: [UInt8] = [0x49, 0x49, 42, 0, 10, 0, 0, 0, 1, 2] + directory(tags)
    let error = #expect(throws: ImagingError.self) { try TIFFCodec.decodeMask(bytes) }
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }

  @Test(arguments: files)
  func damagedFilesAreRefusedOrRead(name: String) throws {
    let whole = try fixture("\(name).tif")
    var draw = SeededGenerator(seed: 8)
    for _ in 0..<60 {
      var bytes = Array(whole.prefix(Int(draw.next() % UInt64(whole.count))))
      _ = Result { try TIFFCodec.decodeMask(bytes) }
      bytes = whole
      for _ in 0..<3 { bytes[Int(draw.next() % UInt64(bytes.count))] = UInt8(draw.next() & 255) }
      // Directories stand at either end.
      bytes[bytes.count - 1 - Int(draw.next() % 150)] = UInt8(draw.next() & 255)
      do {
        let mask = try TIFFCodec.decodeMask(bytes)
        #expect(mask.ids.count == mask.width * mask.height)
      } catch let error as ImagingError {
        #expect(!error.message.isEmpty)
      }
    }
  }

  private func directory(_ tags: [(UInt16, UInt16)]) -> [UInt8] {
    func short(_ value: UInt16) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8)] }
    return short(UInt16(tags.count))
      + tags.flatMap { short($0.0) + short(3) + [1, 0, 0, 0] + short($0.1) + [0, 0] }
      + [0, 0, 0, 0]
  }
}
