/// Where an outline crosses the middles of a picture's columns.
struct ColumnCrossings {
  private let height: Int
  private let width: Int
  private let scale: Double
  private var last: (x: Int, y: Int)?
  /// The crossings as places in the order of columns; a column's last place is the next one's first.
  private(set) var places: [Int] = []

  init(height: Int, width: Int, scale: Double) {
    self.height = height
    self.width = width
    self.scale = scale
  }

  /// Follows an edge over all points of the fine grid, both ends included.
  ///
  /// An edge gives the same points in both directions, so that outlines of neighbours meet.
  mutating func follow(from start: (x: Int, y: Int), to end: (x: Int, y: Int)) {
    let (spanX, spanY) = (abs(end.x - start.x), abs(end.y - start.y))
    let isFlat = spanX >= spanY
    let isReversed = isFlat ? start.x > end.x : start.y > end.y
    let (low, high) = isReversed ? (end, start) : (start, end)
    let length = isFlat ? spanX : spanY
    let slope =
      length == 0 ? 0 : Double(isFlat ? high.y - low.y : high.x - low.x) / Double(length)
    for step in 0...length {
      let along = isReversed ? length - step : step
      // Truncated, as a C cast does.
      if isFlat {
        move(to: (low.x + along, Int(Double(low.y) + slope * Double(along) + 0.5)))
      } else {
        move(to: (Int(Double(low.x) + slope * Double(along) + 0.5), low.y + along))
      }
    }
  }

  private mutating func move(to point: (x: Int, y: Int)) {
    defer { last = point }
    guard let last, point.x != last.x else { return }
    let left = point.x < last.x ? point.x : point.x - 1
    let column = (Double(left) + 0.5) / scale - 0.5
    guard column.rounded(.down) == column, column >= 0, column <= Double(width - 1) else { return }
    let row = (Double(min(point.y, last.y)) + 0.5) / scale - 0.5
    places.append(Int(column) * height + Int(min(max(row, 0), Double(height)).rounded(.up)))
  }
}
