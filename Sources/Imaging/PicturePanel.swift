/// Pictures with their titles on cards, and below them a table of small ones.
public struct PicturePanel: Sendable {
  /// A picture and its name.
  public struct Tile: Sendable {
    /// The picture.
    public var image: PixelImage
    /// What stands below it.
    public var name: String

    /// Names a picture.
    public init(_ image: PixelImage, name: String) {
      self.image = image
      self.name = name
    }
  }

  /// Some pictures in a row under a title.
  public struct Card: Sendable {
    /// The title.
    public var title: String
    /// What stands below it, in up to two lines.
    public var note: String
    /// The colour of the square before the title; nil for none.
    public var colour: Colour?
    /// As many on each card.
    public var tiles: [Tile]

    /// Describes a card.
    public init(title: String, note: String, colour: Colour?, tiles: [Tile]) {
      (self.title, self.note, self.colour, self.tiles) = (title, note, colour, tiles)
    }
  }

  /// Rows of small pictures.
  public struct Table: Sendable {
    /// The title.
    public var title: String
    /// What stands above each column.
    public var columns: [String]
    /// Each row's name, and a picture for each column.
    public var rows: [(name: String, images: [PixelImage])]

    /// Describes a table.
    public init(title: String, columns: [String], rows: [(name: String, images: [PixelImage])]) {
      (self.title, self.columns, self.rows) = (title, columns, rows)
    }
  }

  /// What stands above all.
  public var title: String
  /// The cards; at least one, each with at least one tile.
  public var cards: [Card]
  /// The table; nil for none.
  ///
  /// Rows that have no room are counted in a line.
  public var table: Table?
  /// Whether a scale of ``HeatMap`` is drawn.
  public var hasScale: Bool

  /// Describes a panel.
  public init(title: String, cards: [Card], table: Table? = nil, hasScale: Bool = true) {
    (self.title, self.cards, self.table, self.hasScale) = (title, cards, table, hasScale)
  }

  /// Draws the panel, its pictures as large as there is room for, up to 256 pixels a side.
  ///
  /// - Returns: an RGB picture.
  /// - Throws: ``ImagingError`` where there is nothing to draw or too much for a picture.
  public func draw() throws -> PixelImage {
    guard let first = cards.first?.tiles.first?.image else {
      throw ImagingError(.wrongSize, "a panel without pictures; expected at least one")
    }
    let longest = max(first.width, first.height)
    for side in PanelLayout.sides {
      // Small pictures are enlarged by whole numbers, so that their pixels stay what they are.
      let side = longest <= side ? longest * (side / longest) : side
      let tile = (
        width: max(1, first.width * side / longest), height: max(1, first.height * side / longest)
      )
      if let layout = PanelLayout(self, tileWidth: tile.width, tileHeight: tile.height) {
        return try PanelDrawing(self, layout).draw()
      }
    }
    throw ImagingError(
      .tooLarge,
      "\(cards.count) cards do not fit a picture of \(PixelImage.sideLimit) pixels a side")
  }
}
