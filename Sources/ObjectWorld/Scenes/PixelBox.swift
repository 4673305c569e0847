/// A rectangle of pixels.
struct PixelBox: Equatable {
  /// Columns.
  var x: Range<Int>
  /// Rows.
  var y: Range<Int>

  /// How many pixels it has.
  var area: Int { x.count * y.count }

  /// What lies in a square picture of a box that is wider by `margin` on all sides.
  func widened(by margin: Int, side: Int) -> PixelBox {
    func widened(_ range: Range<Int>) -> Range<Int> {
      let lower = min(max(range.lowerBound - margin, 0), side)
      return lower..<max(lower, min(range.upperBound + margin, side))
    }
    return PixelBox(x: widened(x), y: widened(y))
  }
}
