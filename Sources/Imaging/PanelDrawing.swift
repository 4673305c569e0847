/// Draws a ``PicturePanel``.
struct PanelDrawing {
  private static let background = Colour(24, 24, 24)
  private static let ink = Colour(232, 232, 232)
  private static let faintInk = Colour(160, 160, 160)

  private let panel: PicturePanel
  private let layout: PanelLayout
  private var sheet: PixelImage

  init(_ panel: PicturePanel, _ layout: PanelLayout) throws {
    self.panel = panel
    self.layout = layout
    sheet = try PixelImage(
      width: layout.width, height: layout.height, filledWith: Self.background)
  }

  consuming func draw() throws -> PixelImage {
    let margin = PanelLayout.margin
    for (number, line) in layout.titleLines.enumerated() {
      write(line, x: margin, y: margin + number * BitmapFont.lineHeight * 2, scale: 2)
    }
    if panel.hasScale { drawScale() }
    for (number, card) in panel.cards.enumerated() {
      try draw(
        card, x: margin + number % layout.columns * (layout.cardWidth + margin),
        y: layout.cardTop + number / layout.columns * (layout.cardHeight + margin))
    }
    if let table = panel.table { try draw(table) }
    return sheet
  }

  private mutating func draw(_ card: PicturePanel.Card, x: Int, y: Int) throws {
    let (scale, line) = (layout.scale, BitmapFont.lineHeight)
    var textX = x
    if let colour = card.colour {
      let side = BitmapFont.glyphHeight * scale
      fill(x: x, y: y, width: side, height: side, colour)
      textX += side + 3 * scale
    }
    let room = (x + layout.cardWidth - textX) / (BitmapFont.advance * scale)
    let title = ContactSheet.lines(of: card.title, width: room, count: 1)
    write(title.first ?? [], x: textX, y: y, scale: scale)
    let noteTop = y + (line + 1) * scale
    let notes = ContactSheet.lines(
      of: card.note, width: layout.cardWidth / BitmapFont.advance, count: 2)
    for (number, note) in notes.enumerated() {
      write(note, x: x, y: noteTop + number * (line + 1), scale: 1, colour: Self.faintInk)
    }
    let tileTop = noteTop + 2 * (line + 1) + PanelLayout.gap
    for (number, tile) in card.tiles.enumerated() {
      let tileX = x + number * (layout.tileWidth + PanelLayout.gap)
      let method: ResizeMethod = tile.image.width < layout.tileWidth ? .nearest : .area
      sheet.paste(
        try tile.image.rgb.resized(
          width: layout.tileWidth, height: layout.tileHeight, method: method),
        x: tileX, y: tileTop)
      write(
        Array(tile.name), x: tileX, y: tileTop + layout.tileHeight + 3, scale: 1,
        colour: Self.faintInk)
    }
  }

  private mutating func draw(_ table: PicturePanel.Table) throws {
    let (margin, gap, side) = (PanelLayout.margin, PanelLayout.gap, PanelLayout.tableSide)
    let line = BitmapFont.lineHeight + 2
    var y = layout.tableTop
    write(Array(table.title), x: margin, y: y, scale: layout.scale)
    y += 2 * line
    let left = margin + PanelLayout.tableNameLetters * BitmapFont.advance
    for (number, name) in table.columns.enumerated() {
      write(Array(name), x: left + number * (side + gap), y: y, scale: 1, colour: Self.faintInk)
    }
    y += line + gap
    for row in table.rows.prefix(layout.tableRows) {
      let lines = ContactSheet.lines(
        of: row.name, width: PanelLayout.tableNameLetters - 1, count: 5)
      for (number, text) in lines.enumerated() {
        write(text, x: margin, y: y + number * BitmapFont.lineHeight, scale: 1)
      }
      for (number, image) in row.images.enumerated() {
        sheet.paste(image.rgb, x: left + number * (side + gap), y: y)
      }
      y += side + gap
    }
    let missing = table.rows.count - layout.tableRows
    if missing > 0 {
      write(
        Array("\(missing) more have no room here"), x: margin, y: y + gap, scale: 1,
        colour: Self.faintInk)
    }
  }

  private mutating func drawScale() {
    let (margin, bar, height) = (PanelLayout.margin, 256, BitmapFont.glyphHeight + 2)
    let y = layout.cardTop - 2 * PanelLayout.gap - BitmapFont.lineHeight - 3
    let start = margin + 2 * BitmapFont.advance
    write(["0"], x: margin, y: y + 1, scale: 1, colour: Self.faintInk)
    for (step, colour) in HeatMap.colours.enumerated() {
      fill(x: start + step, y: y, width: 1, height: height, colour)
    }
    write(
      Array("1 probability"), x: start + bar + BitmapFont.advance, y: y + 1, scale: 1,
      colour: Self.faintInk)
  }

  private mutating func fill(x: Int, y: Int, width: Int, height: Int, _ colour: Colour) {
    for row in y..<min(y + height, sheet.height) {
      for column in x..<min(x + width, sheet.width) { sheet[column, row] = colour }
    }
  }

  private mutating func write(
    _ text: [Character], x: Int, y: Int, scale: Int, colour: Colour = ink
  ) {
    BitmapFont.draw(text, on: &sheet, x: x, y: y, scale: scale, colour: colour)
  }
}
