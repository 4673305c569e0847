import Imaging
import Testing

struct PixelImageTests {
  @Test func decoderOutputIsRoundedAsDiffusersDoes() throws {
    let output = try floatFixture("decoded.in.bin")
    let image = try output.withUnsafeBufferPointer {
      try PixelImage(signedUnitRange: $0, width: 16, height: 16)
    }
    #expect(image.samples == (try fixture("decoded.out.bin")))
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func samplesThatAreNotFiniteAreRefused(_ value: Float) {
    let output: [Float] = [0, 0, value]
    #expect(throws: ImagingError.self) {
      try output.withUnsafeBufferPointer {
        try PixelImage(signedUnitRange: $0, width: 1, height: 1)
      }
    }
  }

  @Test(arguments: [(0, 1), (1, 0), (-1, 4), (8193, 1), (1, Int.max), (Int.min, Int.min)])
  func sizesOutOfRangeAreRefused(_ width: Int, _ height: Int) {
    #expect(throws: ImagingError.self) {
      try PixelImage(width: width, height: height, channels: .rgb, samples: [])
    }
    #expect(throws: ImagingError.self) { try LabelMask(width: width, height: height, ids: []) }
    #expect(throws: ImagingError.self) {
      try PixelImage(width: width, height: height, filledWith: Colour(0, 0, 0))
    }
  }

  @Test func anotherCountOfSamplesIsRefused() {
    #expect(throws: ImagingError.self) {
      try PixelImage(width: 2, height: 2, channels: .rgb, samples: [0, 0, 0, 0])
    }
  }

  @Test func paletteIsThatOfVOC() {
    // The first and last entries as the development kit's label colour map lists them.
    let first: [Colour] = [
      Colour(0, 0, 0), Colour(128, 0, 0), Colour(0, 128, 0), Colour(128, 128, 0),
      Colour(0, 0, 128), Colour(128, 0, 128), Colour(0, 128, 128), Colour(128, 128, 128),
      Colour(64, 0, 0), Colour(192, 0, 0), Colour(64, 128, 0), Colour(192, 128, 0),
      Colour(64, 0, 128), Colour(192, 0, 128), Colour(64, 128, 128), Colour(192, 128, 128),
      Colour(0, 64, 0), Colour(128, 64, 0), Colour(0, 192, 0), Colour(128, 192, 0),
      Colour(0, 64, 128),
    ]
    #expect(Array(Palette.voc.prefix(21)) == first)
    #expect(Palette.voc[255] == Colour(224, 224, 192))
    #expect(Set((UInt16(0)...65535).map { Palette.colour(of: $0) }).count == 65536)
  }

  @Test func coloursAreWrittenAndReadAsHexadecimal() {
    #expect(Colour(0, 171, 255).description == "#00abff")
    #expect(Colour(hexadecimal: "#00ABff") == Colour(0, 171, 255))
    for text in ["", "#", "00abff", "#00abf", "#00abfff", "#00abfg", "#00ab\u{e9}", "#+1-2+3"] {
      #expect(Colour(hexadecimal: text) == nil)
    }
  }
}
