import Imaging
import TestSupport
import Testing

struct PicturePanelTests {
  private func cards(_ count: Int, width: Int = 40, height: Int = 20) throws -> [PicturePanel.Card]
  {
    try (0..<count).map { index in
      let image = try PixelImage(
        width: width, height: height, filledWith: Colour(UInt8(index % 200 + 50), 1, 2))
      return PicturePanel.Card(
        title: "card \(index)", note: "note", colour: Colour(1, 200, 3),
        tiles: [.init(image, name: "one"), .init(image, name: "two")])
    }
  }

  @Test(arguments: [1, 2, 7, 40, 254]) func everyCardIsDrawn(_ count: Int) throws {
    let panel = try PicturePanel(title: "a title", cards: try cards(count)).draw()
    var reds: Set<UInt8> = []
    for y in 0..<panel.height {
      for x in 0..<panel.width where panel[x, y].green == 1 && panel[x, y].blue == 2 {
        reds.insert(panel[x, y].red)
      }
    }
    #expect(reds.count == min(count, 200))
    #expect(panel.width <= PixelImage.sideLimit && panel.height <= PixelImage.sideLimit)
  }

  @Test func aTableHasItsPicturesAndCountsThoseWithoutRoom() throws {
    let small = try PixelImage(width: 64, height: 64, filledWith: Colour(9, 9, 250))
    func height(_ rows: Int) throws -> (PixelImage, Int) {
      let table = PicturePanel.Table(
        title: "steps", columns: ["0", "1"],
        rows: (0..<rows).map { ("row \($0)", [small, small]) })
      let panel = try PicturePanel(title: "t", cards: try cards(2), table: table).draw()
      var count = 0
      for y in 0..<panel.height {
        for x in 0..<panel.width where panel[x, y] == Colour(9, 9, 250) { count += 1 }
      }
      return (panel, count / 4096)
    }
    let (few, drawn) = try height(3)
    #expect(drawn == 6 && few.height < 1000)
    let (many, fitting) = try height(254)
    #expect(many.height <= PixelImage.sideLimit && fitting > 150 && fitting < 508)
  }

  @Test func nothingToDrawIsRefused() throws {
    #expect(throws: ImagingError.self) { try PicturePanel(title: "t", cards: []).draw() }
    #expect(throws: ImagingError.self) {
      try PicturePanel(title: "t", cards: try cards(100_000)).draw()
    }
  }

  @Test func oddSizesAndLongTextsAreDrawn() throws {
    for (width, height) in [(1, 1), (1, 4000), (4000, 1), (300, 7)] {
      var cards = try cards(3, width: width, height: height)
      cards[1].title = String(repeating: "long words ", count: 100)
      cards[2].note = String(repeating: "x", count: 5000)
      let panel = try PicturePanel(
        title: String(repeating: "\u{1f43b} bear ", count: 90), cards: cards, hasScale: false
      ).draw()
      #expect(panel.width > 0)
    }
  }
}
