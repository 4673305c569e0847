import Imaging
import TestSupport
import Testing

struct FittingTests {
  private func source() throws -> PixelImage {
    try PixelImage(width: 42, height: 30, channels: .rgb, samples: try fixture("fit.in.bin"))
  }

  private func check(_ width: Int, _ height: Int, _ fit: ImageFit) throws {
    let found = try source().fitted(width: width, height: height, fit: fit)
    let expected = try fixture("fit.\(fit.rawValue)-\(width)x\(height).bin")
    #expect(found.width == width && found.height == height)
    let difference = zip(found.samples, expected).map { abs(Int($0) - Int($1)) }.max() ?? .max
    print("parity Lanczos \(fit.rawValue) \(width) x \(height): largest difference \(difference)")
    #expect(found.samples.count == expected.count && difference <= 1)
  }

  @Test(arguments: [(16, 8), (64, 48), (42, 30), (8, 64), (42, 15)])
  func stretchesAsPillowDoes(_ width: Int, _ height: Int) throws {
    try check(width, height, .stretch)
  }

  @Test(arguments: [(16, 16), (32, 9), (8, 32)])
  func takesTheMiddleAsPillowDoes(_ width: Int, _ height: Int) throws {
    try check(width, height, .crop)
  }

  @Test(arguments: ImageFit.allCases) func anySizeFitsAnySize(_ fit: ImageFit) throws {
    for (width, height) in [(1, 1), (1, 3000), (3000, 1), (7, 5)] {
      let image = try PixelImage(width: width, height: height, filledWith: Colour(9, 200, 77))
      for (newWidth, newHeight) in [(8, 8), (64, 16), (1, 1)] {
        let fitted = try image.fitted(width: newWidth, height: newHeight, fit: fit)
        #expect(
          try fitted
            == PixelImage(width: newWidth, height: newHeight, filledWith: Colour(9, 200, 77)))
      }
    }
    #expect(throws: ImagingError.self) {
      try source().fitted(width: 0, height: 8, fit: fit)
    }
  }

  @Test func greyStaysGrey() throws {
    let grey = try PixelImage(width: 2, height: 1, channels: .grey, samples: [0, 255])
    let wide = try grey.fitted(width: 4, height: 2, fit: .stretch)
    #expect(wide.channels == .grey && wide.samples.prefix(4) == wide.samples.suffix(4))
    #expect(wide.samples.prefix(4).sorted() == Array(wide.samples.prefix(4)))
  }
}
