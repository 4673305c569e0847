import Imaging
import Testing

struct ResizeTests {
  private func source() throws -> PixelImage {
    try PixelImage(width: 42, height: 30, channels: .rgb, samples: try fixture("resize.in.bin"))
  }

  @Test func areaAgreesWithPillowWhereFactorsAreWhole() throws {
    let image = try source().resized(width: 7, height: 10, method: .area)
    let expected = try fixture("resize.area7.bin")
    try #require(image.samples.count == expected.count)
    let worst = zip(image.samples, expected).map { abs(Int($0) - Int($1)) }.max() ?? 0
    print("area 7 x 10: max difference to Pillow \(worst) of 255")
    #expect(worst <= 1)
  }

  @Test func areaIsTheMeanOverTheCoveredArea() throws {
    let image = try source().resized(width: 17, height: 11, method: .area)
    let expected = try floatFixture("resize.area.bin")
    try #require(image.samples.count == expected.count)
    let worst = zip(image.samples, expected).map { abs(Float($0) - $1) }.max() ?? 0
    print("area 17 x 11: max difference to the mean over a common multiple \(worst) of 255")
    #expect(worst <= 0.501)
  }

  @Test(arguments: [("up", 55, 41), ("down", 17, 11)])
  func bilinearAgreesWithTorch(_ name: String, _ width: Int, _ height: Int) throws {
    let image = try source().resized(width: width, height: height, method: .bilinear)
    let expected = try floatFixture("resize.bilinear-\(name).bin")
    try #require(image.samples.count == expected.count)
    let worst = zip(image.samples, expected).map { abs(Float($0) - $1) }.max() ?? 0
    print("bilinear \(width) x \(height): max difference to torch \(worst) of 255")
    #expect(worst <= 0.501)
  }

  @Test(arguments: [("up", 55, 41), ("down", 17, 11)])
  func nearestAgreesWithTorch(_ name: String, _ width: Int, _ height: Int) throws {
    let image = try source().resized(width: width, height: height, method: .nearest)
    #expect(image.samples == (try fixture("resize.nearest-\(name).bin")))
  }

  @Test func aFlatPictureStaysFlat() throws {
    let colour = Colour(3, 128, 255)
    for (width, height) in [(1, 1), (3, 7), (31, 2)] {
      let image = try PixelImage(width: width, height: height, filledWith: colour)
      for method in ResizeMethod.allCases {
        for (w, h) in [(1, 1), (2, 5), (13, 64), (100, 3)] {
          let out = try image.resized(width: w, height: h, method: method)
          #expect(out == (try PixelImage(width: w, height: h, filledWith: colour)))
        }
      }
    }
  }

  @Test func makingLargerAndSmallerAgainByWholeFactorsChangesNothing() throws {
    let image = try source()
    for method in [ResizeMethod.nearest, .area] {
      let large = try image.resized(width: 42 * 3, height: 30 * 5, method: method)
      #expect(try large.resized(width: 42, height: 30, method: method) == image)
    }
  }

  @Test func masksKeepTheirIDs() throws {
    let mask = try LabelMask(width: 3, height: 2, ids: [0, 300, 65535, 7, 8, 9])
    let large = try mask.resized(width: 9, height: 8)
    #expect(Set(large.ids) == Set(mask.ids))
    #expect(try large.resized(width: 3, height: 2) == mask)
    #expect(throws: ImagingError.self) { try mask.resized(width: 0, height: 2) }
    #expect(throws: ImagingError.self) {
      try source().resized(width: 9000, height: 2, method: .area)
    }
  }
}
