import Imaging
import Testing

struct ContactSheetTests {
  private let ink = Colour(224, 224, 224)

  private func tile(_ width: Int, _ height: Int, _ caption: String) throws -> ContactSheet.Tile {
    ContactSheet.Tile(
      try PixelImage(width: width, height: height, filledWith: Colour(200, 10, 10)),
      caption: caption)
  }

  /// The place of every dot of ink.
  private func dots(_ image: PixelImage) -> [[Int]] {
    (0..<image.height).flatMap { y in
      (0..<image.width).compactMap { x in image[x, y] == ink ? [x, y] : nil }
    }
  }

  @Test func picturesStandInAGridWithMargins() throws {
    let sheet = try ContactSheet(columns: 3).draw((0..<5).map { _ in try tile(20, 10, "") })
    #expect(sheet.width == 8 + 3 * 28 && sheet.height == 8 + 2 * 18)
    #expect(sheet[8, 8] == Colour(200, 10, 10) && sheet[7, 7] == Colour(24, 24, 24))
    #expect(sheet[8 + 28, 8 + 18] == Colour(200, 10, 10))
    #expect(sheet[8 + 56, 8 + 18] == Colour(24, 24, 24), "the sixth place is empty")
  }

  @Test func captionsLieBelowTheirPictures() throws {
    let sheet = try ContactSheet().draw([try tile(60, 10, "a dog")])
    let marks = dots(sheet)
    #expect(!marks.isEmpty)
    #expect(marks.allSatisfy { $0[1] >= 18 && $0[0] >= 8 && $0[0] < 68 })
  }

  @Test func longCaptionsAreCutOffInsideTheirColumn() throws {
    let long = String(repeating: "photograph of many things ", count: 40)
    for caption in [long, String(repeating: "x", count: 500)] {
      let sheet = try ContactSheet().draw([try tile(50, 10, caption)])
      let marks = dots(sheet)
      #expect(marks.allSatisfy { $0[0] < 58 })
      let cut = try ContactSheet().draw([try tile(50, 10, caption + " more")])
      #expect(sheet == cut, "what lies behind the cut does not show")
    }
    let fits = try ContactSheet().draw([try tile(50, 10, "12345678")])
    let other = try ContactSheet().draw([try tile(50, 10, "12345678 12345678 1")])
    #expect(dots(other).count > dots(fits).count)
  }

  @Test func otherScriptsShowAsQuestionMarks() throws {
    let shown = try ContactSheet().draw([try tile(60, 10, "\u{718a} \u{1f43b}\u{e9}")])
    #expect(shown == (try ContactSheet().draw([try tile(60, 10, "? ??")])))
    for caption in ["\u{0}\u{1}\u{7f}", "\n\t", "", " "] {
      _ = try ContactSheet().draw([try tile(60, 10, caption)])
    }
  }

  @Test func everyLetterLooksDifferent() throws {
    var seen = Set<[[Int]]>()
    for code in UInt8(0x20)..<0x7f {
      let caption = "|" + String(Unicode.Scalar(code)) + "|"
      seen.insert(dots(try ContactSheet().draw([try tile(60, 4, caption)])))
    }
    #expect(seen.count == 95)
  }

  @Test func largePicturesAreMadeSmallerAndGreyOnesDrawn() throws {
    var sheet = ContactSheet()
    sheet.pictureSide = 32
    let grey = try PixelImage(
      width: 3, height: 3, channels: .grey, samples: [UInt8](repeating: 77, count: 9))
    let drawn = try sheet.draw([
      try tile(400, 100, ""), ContactSheet.Tile(grey, caption: ""), try tile(1, 300, "tall"),
    ])
    #expect(drawn.width == 8 + 2 * 40)
    #expect(drawn[8 + 40, 8] == Colour(77, 77, 77))
  }

  @Test func aSheetWithoutPicturesOrBeyondTheLimitIsRefused() throws {
    #expect(throws: ImagingError.self) { try ContactSheet().draw([]) }
    let many = [ContactSheet.Tile](repeating: try tile(100, 10, ""), count: 100)
    #expect(throws: ImagingError.self) { try ContactSheet(columns: 100).draw(many) }
    var wide = ContactSheet()
    wide.margin = Int.max
    #expect(throws: ImagingError.self) { try wide.draw(many) }
    wide.margin = -5
    wide.columns = -3
    wide.pictureSide = -1
    wide.captionLines = -1
    #expect(try wide.draw([try tile(9, 9, "x")]).width == 1)
  }
}
