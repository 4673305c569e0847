/// Where the parts of a ``PicturePanel`` are.
struct PanelLayout {
  /// Sides of pictures to try.
  static let sides = [256, 192, 128, 96, 64, 48]
  /// The side of a table's pictures, and the width of its names in letters.
  static let tableSide = 64
  static let tableNameLetters = 18
  static let gap = 6
  static let margin = 14

  let tileWidth: Int
  let tileHeight: Int
  /// Pixels of a letter's dot, in titles.
  let scale: Int
  let cardWidth: Int
  let cardHeight: Int
  let columns: Int
  let width: Int
  let height: Int
  let titleLines: [[Character]]
  /// How many rows of the table have room.
  let tableRows: Int
  let tableTop: Int
  let cardTop: Int

  /// Nil where it does not fit a picture.
  init?(_ panel: PicturePanel, tileWidth: Int, tileHeight: Int) {
    self.tileWidth = tileWidth
    self.tileHeight = tileHeight
    scale = tileWidth >= 128 ? 2 : 1
    let (margin, gap) = (Self.margin, Self.gap)
    let tiles = panel.cards.map(\.tiles.count).max() ?? 0
    let line = BitmapFont.lineHeight
    cardWidth = tiles * tileWidth + (tiles - 1) * gap
    cardHeight = (line + 1) * scale + 2 * (line + 1) + gap + tileHeight + line + 2
    let tableWidth = Self.tableWidth(panel.table)
    // Titles are cut to two lines where the panel turns out narrow.
    let top = margin + 2 * line * 2 + gap + (panel.hasScale ? line + 3 + 2 * gap : 0)

    var chosen = (columns: 1, width: 0, height: 0)
    for columns in 1...panel.cards.count {
      let rows = (panel.cards.count + columns - 1) / columns
      let width = max(margin + columns * (cardWidth + margin), tableWidth + 2 * margin)
      let height = top + rows * (cardHeight + margin)
      chosen = (columns, width, height)
      // Rather tall than wide: what belongs together stands below each other.
      if height <= 2 * width { break }
    }
    // What a wide table leaves room for costs nothing.
    let free = min((chosen.width - margin) / (cardWidth + margin), panel.cards.count)
    if free > chosen.columns {
      let rows = (panel.cards.count + free - 1) / free
      chosen = (free, chosen.width, top + rows * (cardHeight + margin))
    }
    guard chosen.width <= PixelImage.sideLimit, chosen.height <= PixelImage.sideLimit else {
      return nil
    }
    columns = chosen.columns
    width = chosen.width
    cardTop = top
    tableTop = chosen.height
    titleLines = ContactSheet.lines(
      of: panel.title, width: (width - 2 * margin) / (BitmapFont.advance * 2), count: 2)
    guard let table = panel.table else {
      (tableRows, height) = (0, chosen.height)
      return
    }
    let head = 3 * (line + 2) + gap
    let rest = PixelImage.sideLimit - chosen.height - head - 2 * (line + 2) - margin
    tableRows = min(table.rows.count, max(0, rest / (Self.tableSide + gap)))
    height =
      chosen.height + head + tableRows * (Self.tableSide + gap)
      + (tableRows < table.rows.count ? 2 * (line + 2) : 0) + margin
  }

  private static func tableWidth(_ table: PicturePanel.Table?) -> Int {
    guard let table else { return 0 }
    return tableNameLetters * BitmapFont.advance + table.columns.count * (tableSide + gap)
  }
}
