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
        let (squares, mixed) = (31 * x * x + 17 * y * y, 7 * x * y)
        var value = (squares + mixed) % 459
        if isNarrow { value %= 251 }
        if name == "packbits8" { value = value / 40 * 40 }
        #expect(Int(mask[x, y]) == value)
      }
    }
  }

  /// A file of two bytes of pixels and a directory of short values.
  private func file(_ first: UInt8, _ second: UInt8, _ tags: [Tag]) -> [UInt8] {
    var bytes: [UInt8] = [0x49, 0x49, 42, 0, 10, 0, 0, 0, first, second]
    func add(_ value: UInt16) { bytes += [UInt8(value & 255), UInt8(value >> 8)] }
    add(UInt16(tags.count))
    for tag in tags {
      add(tag.number)
      for value: UInt16 in [3, 1, 0] { add(value) }
      add(tag.value)
      add(0)
    }
    return bytes + [UInt8](repeating: 0, count: 4)
  }

  /// An entry of a directory.
  struct Tag {
    var number: UInt16
    var value: UInt16
  }

  private static func tags(_ others: [UInt16: UInt16], without: UInt16 = 0) -> [Tag] {
    let usual: [UInt16: UInt16] = [256: 2, 257: 1, 258: 8, 259: 1, 273: 8, 279: 2]
    return usual.merging(others) { $1 }.filter { $0.key != without }.sorted { $0.key < $1.key }
      .map { Tag(number: $0.key, value: $0.value) }
  }

  @Test func aFilesHighestValueIsIgnored() throws {
    let mask = try TIFFCodec.decodeMask(file(254, 255, Self.tags([:])))
    #expect(mask.ids == [254, LabelMask.ignored])
  }

  @Test func whatIsNoMaskIsRefused() {
    func refuse(_ tags: [Tag], _ part: String) {
      let error = #expect(throws: ImagingError.self) {
        try TIFFCodec.decodeMask(file(1, 2, tags))
      }
      #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }
    refuse(Self.tags([279: 200]), "beyond the file's end")
    refuse(Self.tags([256: 20000]), "1 to 8192")
    refuse(Self.tags([258: 1]), "8 or 16 bits")
    refuse(Self.tags([259: 7]), "method 7")
    refuse(Self.tags([277: 3]), "one sample")
    refuse(Self.tags([259: 5, 317: 3]), "predictor 3")
    refuse(Self.tags([257: 9, 278: 1]), "of 9 strips")
    refuse(Self.tags([256: 3]), "has 2 bytes, expected 3")
    refuse(Self.tags([:], without: 256), "no tag 256")
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
}
