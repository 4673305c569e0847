import Imaging
import TestSupport
import Testing

struct PictureScoreTests {
  private func random(_ seed: UInt64, _ width: Int, _ height: Int) throws -> PixelImage {
    var generator = SeededGenerator(seed: seed)
    return try PixelImage(
      width: width, height: height, channels: .rgb,
      samples: (0..<width * height * 3).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
  }

  /// The same hash from a picture brought to 9 x 8 by exact areas, in floating point.
  private func reference(_ picture: PixelImage) -> UInt64 {
    var cells = [Double](repeating: 0, count: 72)
    for y in 0..<picture.height * 8 {
      for x in 0..<picture.width * 9 {
        let pixel = picture[x / 9, y / 8]
        cells[y / picture.height * 9 + x / picture.width] +=
          299 * Double(pixel.red) + 587 * Double(pixel.green) + 114 * Double(pixel.blue)
      }
    }
    var bits: UInt64 = 0
    for row in 0..<8 {
      for column in 0..<8 {
        bits = bits << 1 | (cells[row * 9 + column] > cells[row * 9 + column + 1] ? 1 : 0)
      }
    }
    return bits
  }

  @Test(arguments: [(1, 1), (9, 8), (8, 9), (7, 5), (64, 64), (33, 70), (3, 100)])
  func theHashIsThatOfItsCells(_ width: Int, _ height: Int) throws {
    for seed: UInt64 in 0..<4 {
      let picture = try random(seed, width, height)
      #expect(PictureHash(picture).bits == reference(picture))
    }
  }

  @Test func alikePicturesHaveNearHashes() throws {
    var samples = [UInt8](repeating: 0, count: 64 * 64)
    for y in 0..<64 {
      for x in 0..<64 { samples[y * 64 + x] = UInt8((x * x + 3 * y * (63 - x)) / 71 % 256) }
    }
    let picture = try PixelImage(width: 64, height: 64, channels: .grey, samples: samples)
    let brighter = try PixelImage(
      width: 64, height: 64, channels: .grey, samples: samples.map { $0 / 2 + 60 })
    let smaller = try picture.resized(width: 40, height: 40, method: .area)
    let hash = PictureHash(picture)
    #expect(hash.distance(to: hash) == 0)
    #expect(hash.distance(to: PictureHash(brighter)) <= 4)
    #expect(hash.distance(to: PictureHash(smaller)) <= 4)
    #expect(hash.distance(to: PictureHash(try random(1, 64, 64))) > 16)
    #expect(hash.distance(to: PictureHash(bits: ~hash.bits)) == 64)
    #expect(PictureHash(picture) == PictureHash(picture.rgb))
  }

  @Test func digitsComeBackAsTheyWere() {
    for bits: UInt64 in [0, 1, 0xdead_beef, .max] {
      #expect(PictureHash(hexadecimal: PictureHash(bits: bits).description)?.bits == bits)
    }
    for text in [
      "", "0", "000000000000000g", "00000000000000AB", "+000000000000001", "00000000000000001",
    ] {
      #expect(PictureHash(hexadecimal: text) == nil)
    }
  }

  @Test func statisticsAreThoseOfTheSamples() throws {
    let picture = try PixelImage(
      width: 2, height: 1, channels: .rgb, samples: [0, 10, 20, 255, 10, 40])
    let statistics = PictureStatistics(picture)
    #expect(abs(statistics.brightness - 335.0 / 6 / 255) < 1e-12)
    #expect(abs(statistics.contrast - 0.5) < 1e-12)
    #expect(abs(statistics.clipped - 2.0 / 6) < 1e-12)
    let white = try PixelImage(width: 8192, height: 16, filledWith: Colour(255, 255, 255))
    #expect(PictureStatistics(white) == PictureStatistics(white))
    #expect(PictureStatistics(white).brightness == 1 && PictureStatistics(white).contrast == 0)
  }

  @Test func regionsOfAMaskAreCounted() throws {
    let ids: [UInt16] = [
      1, 1, 0, 0, 2,
      0, 1, 0, 3, 0,
      1, 0, 3, 0, 0,
      65535, 0, 0, 0, 2,
    ]
    let statistics = MaskStatistics(try LabelMask(width: 5, height: 4, ids: ids))
    #expect(statistics.ignoredPixels == 1 && statistics.regions.keys.sorted() == [1, 2, 3])
    #expect(statistics.regions[1]?.pixels == 4 && statistics.regions[1]?.parts == 2)
    #expect(statistics.regions[2]?.parts == 2 && statistics.regions[2]?.touchesBorder == true)
    // Corners do not connect.
    #expect(statistics.regions[3]?.parts == 2 && statistics.regions[3]?.touchesBorder == false)
  }

  @Test func regionsTogetherCoverTheMask() throws {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<20 {
      let (width, height) = (1 + Int(generator.next() % 40), 1 + Int(generator.next() % 40))
      let mask = try LabelMask(
        width: width, height: height,
        ids: (0..<width * height).map { _ in UInt16(generator.next() % 4) })
      let statistics = MaskStatistics(mask)
      for id: UInt16 in 1...3 {
        let region = statistics.regions[id] ?? MaskStatistics.Region()
        let count = mask.ids.count { $0 == id }
        #expect(region.pixels == count)
        #expect(region.parts <= count && (region.parts > 0) == (count > 0))
      }
    }
  }
}
