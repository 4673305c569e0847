extension RunLengthEncoding {
  /// Points of an outline are looked at on a grid of this many to a pixel.
  private static let scale = 5.0
  /// How far beyond a picture a corner may lie, in pixels.
  private static let margin = 65_536.0

  /// Fills an outline as the COCO API does, to the pixel.
  ///
  /// - Parameters:
  ///   - polygon: corners x1, y1, x2, y2, … in pixels, the picture's upper left corner being 0, 0; three or more.
  ///   - height: rows, 1 to `PixelImage.sideLimit`.
  ///   - width: columns, 1 to `PixelImage.sideLimit`.
  ///   - place: where it comes from, for messages.
  /// - Throws: ``ExportError`` `malformed` where there are too few corners, an odd count of numbers, corners that are no
  ///   numbers or far outside, or an outline too long for its picture.
  /// - Source: `rleFrPoly` of the COCO API: edges are followed on a grid five times as fine, and where they cross the
  ///   middle of a column the fill is turned on or off.
  public init(polygon: [Double], height: Int, width: Int, place: String) throws {
    try Self.check(height: height, width: width, place: place)
    guard polygon.count >= 6, polygon.count % 2 == 0 else {
      throw ExportError(
        .malformed, place, "has \(polygon.count) numbers; expected three corners or more, two each")
    }
    guard polygon.allSatisfy({ $0.isFinite && abs($0) <= Self.margin }) else {
      throw ExportError(
        .malformed, place, "has a corner more than \(Int(Self.margin)) pixels away, or none at all")
    }
    // Truncated, as a C cast does.
    let grid = polygon.map { Int(Self.scale * $0 + 0.5) }
    let corners = stride(from: 0, to: grid.count, by: 2).map { (x: grid[$0], y: grid[$0 + 1]) }
    var crossings = ColumnCrossings(height: height, width: width, scale: Self.scale)
    // A region whose outline passes each of its pixels many times is no region but an attempt on our time.
    var stepsLeft = 100 * (width * height + width + height) + 1_000_000
    for (index, corner) in corners.enumerated() {
      let next = corners[(index + 1) % corners.count]
      stepsLeft -= max(abs(corner.x - next.x), abs(corner.y - next.y)) + 1
      guard stepsLeft > 0 else {
        throw ExportError(
          .malformed, place, "is far too long for a picture of \(width) x \(height)")
      }
      crossings.follow(from: corner, to: next)
    }
    var joined = RunJoiner(total: height * width)
    var last = 0
    for turn in crossings.places.sorted() + [height * width] {
      try joined.append(turn - last, place: place)
      last = turn
    }
    self.init(unchecked: try joined.finish(place: place), height: height, width: width)
  }

  /// All pixels of some regions of one picture.
  ///
  /// - Precondition: there is one, and all have the same size.
  public init(union parts: [RunLengthEncoding]) {
    precondition(!parts.isEmpty, "a union of nothing")
    let (height, width) = (parts[0].height, parts[0].width)
    precondition(
      parts.allSatisfy { $0.height == height && $0.width == width }, "a union of different sizes")
    guard parts.count > 1 else {
      self = parts[0]
      return
    }
    var runs: [Int] = []
    var end = 0
    for inside in parts.flatMap(\.insides).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if inside.lowerBound > end || runs.isEmpty {
        runs += [inside.lowerBound - end, inside.count]
      } else if inside.upperBound > end {
        runs[runs.count - 1] += inside.upperBound - end
      }
      end = max(end, inside.upperBound)
    }
    if end < height * width || runs.isEmpty { runs.append(height * width - end) }
    self.init(unchecked: runs, height: height, width: width)
  }

  /// The runs inside the region, as places in the order of columns.
  var insides: [Range<Int>] {
    var place = 0
    var ranges: [Range<Int>] = []
    for (index, run) in runs.enumerated() {
      if index % 2 == 1 && run > 0 { ranges.append(place..<place + run) }
      place += run
    }
    return ranges
  }

  /// Gives every pixel of the region a number.
  ///
  /// - Shapes: `ids` [height, width].
  /// - Precondition: the count of ids is the picture's.
  public func paint(_ id: UInt16, on ids: inout [UInt16]) {
    precondition(ids.count == height * width, "\(ids.count) ids of \(width) x \(height)")
    for inside in insides {
      var (x, y) = inside.lowerBound.quotientAndRemainder(dividingBy: height)
      for _ in inside {
        ids[y * width + x] = id
        y += 1
        if y == height { (x, y) = (x + 1, 0) }
      }
    }
  }
}
