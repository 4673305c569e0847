/// A region's rectangle with a margin of one pixel, to fill holes and follow outlines in.
struct TracingField {
  private let box: BoundingBox
  private let width: Int
  private let height: Int
  private var inside: [Bool]
  /// Pixels of the region.
  private(set) var count = 0

  init(box: BoundingBox, where contains: (_ x: Int, _ y: Int) -> Bool) {
    self.box = box
    width = box.width + 2
    height = box.height + 2
    inside = Array(repeating: false, count: width * height)
    for y in 0..<box.height {
      for x in 0..<box.width where contains(box.x + x, box.y + y) {
        inside[(y + 1) * width + x + 1] = true
        count += 1
      }
    }
  }

  /// Adds what cannot be reached from outside by steps to any of the eight neighbours: pieces of a region hang together
  /// by edges, so the outside also does by corners.
  mutating func fillHoles() {
    var isOutside = [Bool](repeating: false, count: width * height)
    var pending = [0]
    isOutside[0] = true
    while let place = pending.popLast() {
      let (x, y) = (place % width, place / width)
      for neighbourY in max(0, y - 1)...min(height - 1, y + 1) {
        for neighbourX in max(0, x - 1)...min(width - 1, x + 1) {
          let neighbour = neighbourY * width + neighbourX
          guard !isOutside[neighbour], !inside[neighbour] else { continue }
          isOutside[neighbour] = true
          pending.append(neighbour)
        }
      }
    }
    count = 0
    for place in inside.indices {
      inside[place] = !isOutside[place]
      if inside[place] { count += 1 }
    }
  }

  /// The directions along edges, clockwise; the region lies on the right.
  private enum Direction: Int {
    case east
    case south
    case west
    case north

    func turned(by quarters: Int) -> Direction {
      Direction(rawValue: (rawValue + quarters) & 3) ?? .east
    }
  }

  /// The outline of every piece and of every hole, the region on the right of the way, in the order of their topmost and
  /// then leftmost edges above a pixel: clockwise around pieces, the other way around in holes.
  func outlines() -> [[Int]] {
    var isFollowed = [Bool](repeating: false, count: width * height)
    var outlines: [[Int]] = []
    for y in 1..<height {
      for x in 1..<width where hasEdge(.east, x, y) && !isFollowed[y * width + x] {
        outlines.append(outline(x, y, &isFollowed))
      }
    }
    return outlines
  }

  private func outline(_ startX: Int, _ startY: Int, _ isFollowed: inout [Bool]) -> [Int] {
    var (x, y, direction) = (startX, startY, Direction.east)
    var corners: [Int] = []
    repeat {
      if direction == .east { isFollowed[y * width + x] = true }
      switch direction {
      case .east: x += 1
      case .south: y += 1
      case .west: x -= 1
      case .north: y -= 1
      }
      // The right turn first: it stays with the pixel, where straight or left would go on to one that only touches.
      let next = [1, 0, 3].map(direction.turned).first { hasEdge($0, x, y) }
      guard let next else { preconditionFailure("the outline ends at (\(x), \(y))") }
      if next != direction { corners += [x - 1 + box.x, y - 1 + box.y] }
      direction = next
    } while x != startX || y != startY || direction != .east
    // The start is a corner: a level edge to its left would have been followed before. It is met last and goes first.
    return corners.suffix(2) + corners.dropLast(2)
  }

  /// Whether an edge of the region leads from the upper left corner of a pixel in a direction.
  private func hasEdge(_ direction: Direction, _ x: Int, _ y: Int) -> Bool {
    switch direction {
    case .east: self[x, y] && !self[x, y - 1]
    case .south: self[x - 1, y] && !self[x, y]
    case .west: self[x - 1, y - 1] && !self[x - 1, y]
    case .north: self[x, y - 1] && !self[x - 1, y - 1]
    }
  }

  private subscript(x: Int, y: Int) -> Bool {
    guard x >= 0, y >= 0, x < width, y < height else { return false }
    return inside[y * width + x]
  }
}
