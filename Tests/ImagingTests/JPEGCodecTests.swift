import Imaging
import TestSupport
import Testing

struct JPEGCodecTests {
  static let kinds = [
    "colour444", "colour422", "colour420", "progressive", "progressive-grey", "restarts", "grey",
    "plain-rgb", "cmyk", "ycck",
  ]

  private func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard a.count == b.count else { return .max }
    return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? .max
  }

  @Test(arguments: kinds) func readsPicturesAsPillowDoes(_ name: String) throws {
    let image = try JPEGCodec.decode(try fixture("\(name).jpg"))
    #expect(image.width == 21 && image.height == 13 && image.channels == .rgb)
    let difference = largestDifference(image.samples, try fixture("\(name).jpg.rgb.bin"))
    print("parity JPEG \(name): largest difference \(difference) of 255 (limit 1)")
    #expect(difference <= 1)
  }

  @Test(arguments: 1...8) func turnsPicturesUprightAsPillowDoes(_ orientation: Int) throws {
    let image = try JPEGCodec.decode(try fixture("orientation\(orientation).jpg"))
    #expect(image.width == (orientation < 5 ? 21 : 13))
    #expect(image.height == (orientation < 5 ? 13 : 21))
    let expected = try fixture("orientation\(orientation).jpg.rgb.bin")
    #expect(largestDifference(image.samples, expected) <= 1)
  }

  @Test func greyFilesCanStayGrey() throws {
    let grey = try JPEGCodec.decode(try fixture("grey.jpg"), keepsGrey: true)
    #expect(grey.channels == .grey)
    #expect(grey.rgb == (try JPEGCodec.decode(try fixture("grey.jpg"))))
    #expect(try JPEGCodec.decode(try fixture("cmyk.jpg"), keepsGrey: true).channels == .rgb)
  }

  @Test(arguments: [95, 90, 75, 20])
  func writesWhatPillowWrites(_ quality: Int) throws {
    let image = try PixelImage(
      width: 21, height: 13, channels: .rgb, samples: try fixture("encode.in.bin"))
    let back = try JPEGCodec.decode(try JPEGCodec.encode(image, quality: quality))
    #expect(largestDifference(back.samples, try fixture("encode.\(quality).bin")) <= 1)
  }

  @Test(arguments: [(1, 1), (1, 9), (8, 8), (17, 5), (64, 3), (257, 33)])
  func filesAreBaselineWithJFIFAlone(_ width: Int, _ height: Int) throws {
    var random = SeededGenerator(seed: UInt64(width * 1000 + height))
    for channels in [PixelImage.Channels.grey, .rgb] {
      let image = try PixelImage(
        width: width, height: height, channels: channels,
        samples: random.bytes(width * height * channels.rawValue))
      for quality in [1, 50, 89, 90, 100] {
        let bytes = try JPEGCodec.encode(image, quality: quality)
        #expect(try JPEGCodec.encode(image, quality: quality) == bytes)
        #expect(Array(bytes[6..<11]) == Array("JFIF\u{0}".utf8))
        #expect(bytes.suffix(2) == [0xff, 0xd9])
        let segments = RawJPEG.segments(of: bytes)
        #expect(!segments.contains { (0xe1...0xef).contains($0.marker) })
        let frame = try #require(segments.first { $0.marker == 0xc0 }).data
        #expect(frame[0] == 8 && Int(frame[5]) == channels.rawValue)
        #expect(frame[7] == (channels == .rgb && quality < 90 ? 0x22 : 0x11))
        let back = try JPEGCodec.decode(bytes, keepsGrey: true)
        #expect(back.width == width && back.height == height && back.channels == channels)
      }
    }
  }

  @Test func theBestQualityChangesLittle() throws {
    let image = try PixelImage(
      width: 21, height: 13, channels: .rgb, samples: try fixture("encode.in.bin"))
    let back = try JPEGCodec.decode(try JPEGCodec.encode(image, quality: 100))
    #expect(largestDifference(back.samples, image.samples) <= 3)
  }

  @Test(arguments: [0, -1, 101]) func qualitiesOutOfRangeAreRefused(_ quality: Int) throws {
    let image = try PixelImage(width: 1, height: 1, channels: .grey, samples: [0])
    #expect(throws: ImagingError.self) { try JPEGCodec.encode(image, quality: quality) }
  }
}
