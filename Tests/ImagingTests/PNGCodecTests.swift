import Imaging
import TestSupport
import Testing

struct PNGCodecTests {
  @Test(arguments: [
    "rgb", "rgba", "grey", "grey-alpha", "bilevel", "palette", "palette4", "interlaced",
  ])
  func readsPicturesAsPillowDoes(_ name: String) throws {
    let image = try PNGCodec.decodeImage(try fixture("\(name).png")).pixels
    #expect(image.width == 13 && image.height == 9 && image.channels == .rgb)
    #expect(image.samples == (try fixture("\(name).rgb.bin")))
  }

  @Test(arguments: ["palette", "palette4"])
  func readsIndicesAsPillowDoes(_ name: String) throws {
    let contents = try PNGCodec.decodeMask(try fixture("\(name).png"))
    #expect(contents.pixels.ids == (try fixture("palette.ids.bin").map(UInt16.init)))
    #expect(contents.palette.count >= 5)
  }

  @Test func reads16BitIDsAsPillowDoes() throws {
    let ids = try PNGCodec.decodeMask(try fixture("grey16.png")).pixels.ids
    let bytes = try fixture("grey16.ids.bin")
    #expect(
      ids == (0..<bytes.count / 2).map { UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8 })
  }

  @Test func readsTextsOfAllKinds() throws {
    let contents = try PNGCodec.decodeImage(try fixture("rgb.png"))
    #expect(contents.record == "{\"prompt\":\"ein B\u{e4}r, \u{718a}\"}")
    #expect(contents.texts.contains { $0.keyword == "Comment" && $0.text == "plain" })
  }

  @Test(arguments: [(1, 1), (1, 7), (3, 1), (8, 8), (17, 5), (31, 33), (64, 3), (257, 2)])
  func picturesComeBackAsTheyWere(_ width: Int, _ height: Int) throws {
    var random = SeededGenerator(seed: UInt64(width * 1000 + height))
    for channels in [PixelImage.Channels.grey, .rgb] {
      let image = try PixelImage(
        width: width, height: height, channels: channels,
        samples: random.bytes(width * height * channels.rawValue))
      let bytes = try PNGCodec.encode(image, text: "x\u{1f43b}")
      #expect(try PNGCodec.encode(image, text: "x\u{1f43b}") == bytes)
      let back = try PNGCodec.decodeImage(bytes, keepsGrey: true)
      #expect(back.pixels == image)
      #expect(back.record == "x\u{1f43b}")
      #expect(try PNGCodec.decodeImage(bytes).pixels == image.rgb)
      #expect(back.texts.count == 1)
    }
  }

  @Test(arguments: [(1, 1), (5, 9), (33, 16), (255, 3)])
  func masksComeBackAsTheyWere(_ width: Int, _ height: Int) throws {
    var random = SeededGenerator(seed: UInt64(width * 77 + height))
    for (depth, highest) in [(LabelMask.Depth.eight, 254), (.sixteen, 65534)] {
      var ids = (0..<width * height).map { _ in
        UInt16(truncatingIfNeeded: Int.random(in: 0...highest, using: &random))
      }
      ids[ids.count / 2] = LabelMask.ignored
      let mask = try LabelMask(width: width, height: height, ids: ids)
      let back = try PNGCodec.decodeMask(try PNGCodec.encode(mask, depth: depth))
      #expect(back.pixels == mask)
      #expect(back.palette == (depth == .eight ? Palette.voc : []))
    }
  }

  @Test func palettesOfTheCallersComeBackWithTheirColours() throws {
    let palette = [Colour(1, 2, 3), Colour(250, 0, 9), Colour(7, 7, 7)]
    let bytes = try PNGCodec.encode(
      indices: [0, 1, 2, 1], width: 2, height: 2, palette: palette, alpha: [0, 128])
    #expect(try PNGCodec.decodeMask(bytes).palette == palette)
    #expect(try PNGCodec.decodeMask(bytes).pixels.ids == [0, 1, 2, 1])
    #expect(try PNGCodec.decodeImage(bytes).pixels[1, 0] == palette[1])
    #expect(throws: ImagingError.self) {
      try PNGCodec.encode(indices: [3], width: 1, height: 1, palette: palette)
    }
  }

  @Test func idsBeyondTheDepthAreRefused() throws {
    #expect(LabelMask.Depth(highestID: 254) == .eight)
    #expect(LabelMask.Depth(highestID: 255) == .sixteen)
    for id in [UInt16(255), 300, 65534] {
      let mask = try LabelMask(width: 1, height: 1, ids: [id])
      #expect(throws: ImagingError.self) { try PNGCodec.encode(mask, depth: .eight) }
      #expect(try PNGCodec.decodeMask(try PNGCodec.encode(mask, depth: .sixteen)).pixels == mask)
    }
  }

  @Test func textsThatAPNGCannotCarryAreRefused() throws {
    let image = try PixelImage(width: 1, height: 1, channels: .grey, samples: [0])
    #expect(throws: ImagingError.self) { try PNGCodec.encode(image, text: "a\u{0}b") }
    let long = String(repeating: "x", count: (1 << 20) - 13)
    #expect(try PNGCodec.decodeImage(try PNGCodec.encode(image, text: long)).record == long)
    #expect(throws: ImagingError.self) { try PNGCodec.encode(image, text: long + "x") }
  }

  @Test func noTimeStandsInTheFile() throws {
    let image = try PixelImage(width: 2, height: 2, filledWith: Colour(1, 2, 3))
    let text = String(decoding: try PNGCodec.encode(image), as: UTF8.self)
    #expect(!text.contains("tIME") && !text.contains("tEXt"))
  }
}
