/// A region with its holes as one closed line along the edges of its pixels.
///
/// Outlines of pieces and holes are joined by bridges that are gone to and fro, so what the line encloses is the region
/// exactly. A program that also draws the line adds the pixels under bridges from piece to piece.
///
/// - Source: the idea is that of ultralytics' `merge_multi_segment`; here holes take part.
struct ClosedOutline {
  /// Corners x1, y1, x2, y2, … along the line; three points or more.
  let corners: [Int]
  /// The region's pixels as a share of those and the ones under bridges.
  let agreement: Double

  /// The most corners of a region that is joined: the search for the shortest bridges takes their square.
  private static let cornerLimit = 4000

  /// Joins the outlines of a region; nil where it has too many corners.
  ///
  /// - Parameters:
  ///   - numbers: a number a pixel, row after row.
  ///   - number: the region's number; it has a pixel.
  ///   - width: pixels in a row of `numbers`.
  ///   - box: the region's rectangle.
  init?(of numbers: [UInt8], number: UInt8, width: Int, box: BoundingBox) {
    let field = TracingField(box: box) { x, y in numbers[y * width + x] == number }
    let outlines = field.outlines()
    guard outlines.reduce(0, { $0 + $1.count / 2 }) <= Self.cornerLimit else { return nil }
    let bridges = Bridges(outlines)
    corners = bridges.walk
    var added = 0
    for (start, end) in bridges.lines {
      added += Self.pixels(from: start, to: end).count { x, y in
        let isInside =
          x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height
          && numbers[y * width + x] == number
        return !isInside
      }
    }
    agreement = Double(field.count) / Double(field.count + added)
  }

  /// The pixels of a line, as drawing programs choose them.
  private static func pixels(from start: (x: Int, y: Int), to end: (x: Int, y: Int)) -> [(Int, Int)]
  {
    let (spanX, spanY) = (end.x - start.x, end.y - start.y)
    let count = max(abs(spanX), abs(spanY))
    return (0...count).map { step in
      let share = count == 0 ? 0 : Double(step) / Double(count)
      return (
        start.x + Int((Double(spanX) * share).rounded()),
        start.y + Int((Double(spanY) * share).rounded())
      )
    }
  }
}
