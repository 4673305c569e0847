/// Pictures side by side with a caption below each.
public struct ContactSheet: Sendable {
  /// A picture and what is written below it.
  public struct Tile: Sendable {
    /// The picture.
    public var image: PixelImage
    /// Printable ASCII is drawn; other characters show as `?`.
    public var caption: String

    /// Pairs a picture with its caption.
    public init(_ image: PixelImage, caption: String) {
      self.image = image
      self.caption = caption
    }
  }

  /// Pictures in a row; nil for about as many as rows.
  public var columns: Int?
  /// Pixels around and between the pictures.
  public var margin = 8
  /// The longest side of a picture on the sheet, in pixels; larger ones are made smaller.
  public var pictureSide = 256
  /// Lines of a caption; what does not fit is cut off with an ellipsis.
  public var captionLines = 2
  /// The colour between the pictures.
  public var background = Colour(24, 24, 24)
  /// The colour of captions.
  public var ink = Colour(224, 224, 224)

  /// A sheet with the usual looks.
  public init(columns: Int? = nil) {
    self.columns = columns
  }

  /// Draws the sheet.
  ///
  /// - Parameter tiles: at least one picture, in the order of reading.
  /// - Returns: an RGB picture.
  /// - Throws: ``ImagingError`` where there is nothing to draw or the sheet is too large for a picture.
  public func draw(_ tiles: [Tile]) throws -> PixelImage {
    guard !tiles.isEmpty else {
      throw ImagingError(.wrongSize, "a contact sheet without pictures; expected at least one")
    }
    let pictures = try tiles.map { try fitted($0.image.rgb) }
    let cellWidth = pictures.map(\.width).max() ?? 1
    let cellHeight = pictures.map(\.height).max() ?? 1
    let scale = max(1, cellWidth / 256)
    let lineCount = tiles.contains { !$0.caption.isEmpty } ? max(0, captionLines) : 0
    let captionHeight =
      lineCount == 0 ? 0 : (lineCount * BitmapFont.lineHeight + 3) * scale
    let columns = max(1, min(self.columns ?? Self.squareRoot(tiles.count), tiles.count))
    let rows = (tiles.count + columns - 1) / columns
    let margin = max(0, margin)
    var sheet = try PixelImage(
      width: Self.span(columns, of: cellWidth, margin: margin),
      height: Self.span(rows, of: cellHeight + captionHeight, margin: margin),
      filledWith: background)
    for (index, picture) in pictures.enumerated() {
      let x = margin + index % columns * (cellWidth + margin)
      let y = margin + index / columns * (cellHeight + captionHeight + margin)
      sheet.paste(picture, x: x, y: y)
      let lines = Self.lines(
        of: tiles[index].caption, width: cellWidth / (BitmapFont.advance * scale), count: lineCount)
      for (line, text) in lines.enumerated() {
        BitmapFont.draw(
          text, on: &sheet, x: x,
          y: y + cellHeight + (3 + line * BitmapFont.lineHeight) * scale, scale: scale, colour: ink)
      }
    }
    return sheet
  }

  private func fitted(_ image: PixelImage) throws -> PixelImage {
    let longest = max(image.width, image.height)
    let side = max(1, pictureSide)
    guard longest > side else { return image }
    return try image.resized(
      width: max(1, image.width * side / longest), height: max(1, image.height * side / longest),
      method: .area)
  }

  /// The length of `count` cells with margins; capped so that no product overflows before it is refused.
  private static func span(_ count: Int, of cell: Int, margin: Int) -> Int {
    let (total, overflow) = count.multipliedReportingOverflow(
      by: cell + min(margin, PixelImage.sideLimit))
    return overflow ? Int.max : min(total, Int.max - margin) + margin
  }

  /// The smallest number whose square is at least `count`.
  private static func squareRoot(_ count: Int) -> Int {
    var root = 1
    while root * root < count { root += 1 }
    return root
  }

  /// Breaks a caption at spaces, words that are too long anywhere.
  static func lines(of caption: String, width: Int, count: Int) -> [[Character]] {
    guard width > 0, count > 0 else { return [] }
    var words = caption.split { $0.isWhitespace }.map { Array($0) }
    words.reverse()
    var lines: [[Character]] = []
    while let first = words.popLast(), lines.count < count {
      var line = first
      while let next = words.last, line.count + 1 + next.count <= width {
        line += [" "] + next
        words.removeLast()
      }
      if line.count > width {
        words.append(Array(line[width...]))
        line = Array(line[..<width])
      }
      lines.append(line)
      if lines.count == count, !words.isEmpty {
        let kept = line.prefix(width - 1)
        lines[count - 1] = kept + [BitmapFont.ellipsis]
      }
    }
    return lines
  }
}
