/// The smallest rectangle around pixels.
public struct BoundingBox: Sendable, Equatable {
  /// The leftmost column, from 0.
  public var x: Int
  /// The topmost row, from 0.
  public var y: Int
  /// Columns.
  public var width: Int
  /// Rows.
  public var height: Int

  /// Describes a rectangle.
  public init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// What COCO writes for a region without pixels.
  public static let empty = BoundingBox(x: 0, y: 0, width: 0, height: 0)

  /// The rectangle of one pixel.
  init(x: Int, y: Int) { self.init(x: x, y: y, width: 1, height: 1) }

  /// Widens the rectangle so that it holds another.
  mutating func form(unionWith other: BoundingBox) {
    let right = max(x + width, other.x + other.width)
    let bottom = max(y + height, other.y + other.height)
    x = min(x, other.x)
    y = min(y, other.y)
    width = right - x
    height = bottom - y
  }
}
