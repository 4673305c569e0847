import Imaging

/// A region of a picture as COCO writes it: lengths of runs, down each column in turn, from left to right.
///
/// Runs outside and inside the region alternate, outside first; only the first may have no length, so a region has one
/// encoding.
///
/// - Source: `common/maskApi.c` of the COCO API.
public struct RunLengthEncoding: Sendable, Equatable {
  /// Rows of the picture.
  public let height: Int
  /// Columns of the picture.
  public let width: Int
  /// The lengths, `height * width` in sum.
  public let runs: [Int]

  /// Takes lengths that someone else wrote; empty runs between others are joined away.
  ///
  /// - Parameters:
  ///   - runs: the lengths, outside first.
  ///   - height: rows, 1 to `PixelImage.sideLimit`.
  ///   - width: columns, 1 to `PixelImage.sideLimit`.
  ///   - place: where they come from, for messages.
  /// - Throws: ``ExportError`` `malformed` where the size is out of range, a run is negative, or the sum is another.
  public init(runs: [Int], height: Int, width: Int, place: String) throws {
    try Self.check(height: height, width: width, place: place)
    var joined = RunJoiner(total: height * width)
    for run in runs { try joined.append(run, place: place) }
    self.init(unchecked: try joined.finish(place: place), height: height, width: width)
  }

  /// Encodes the pixels for which a test holds.
  ///
  /// - Parameters:
  ///   - height: rows.
  ///   - width: columns.
  ///   - contains: whether the pixel (x, y) belongs to the region.
  /// - Precondition: both sides lie in 1 to `PixelImage.sideLimit`.
  public init(height: Int, width: Int, where contains: (_ x: Int, _ y: Int) -> Bool) {
    precondition(
      (1...PixelImage.sideLimit).contains(height) && (1...PixelImage.sideLimit).contains(width),
      "a region of \(width) x \(height)")
    var runs: [Int] = []
    var isInside = false
    var length = 0
    for x in 0..<width {
      for y in 0..<height {
        if contains(x, y) != isInside {
          runs.append(length)
          length = 0
          isInside.toggle()
        }
        length += 1
      }
    }
    self.init(unchecked: runs + [length], height: height, width: width)
  }

  /// Encodes the regions 1 to `count` of a picture of numbers, all in one pass; other numbers are no region.
  ///
  /// - Shapes: `numbers` [height, width].
  /// - Precondition: the count of numbers is `height * width`.
  ///
  /// - Returns: `count` encodings.
  static func regions(
    of numbers: [UInt8], height: Int, width: Int, count: Int
  ) -> [RunLengthEncoding] {
    precondition(
      numbers.count == height * width, "\(numbers.count) numbers of \(width) x \(height)")
    var runs = [[Int]](repeating: [], count: count)
    // Where each region's last run ended, as a place in the order of columns.
    var ends = [Int](repeating: 0, count: count)
    func close(_ number: Int, at place: Int) {
      guard (1...count).contains(number) else { return }
      runs[number - 1].append(place - ends[number - 1])
      ends[number - 1] = place
    }
    var current = 0
    var place = 0
    if count > 0 {
      for x in 0..<width {
        for y in 0..<height {
          let number = Int(numbers[y * width + x])
          if number != current {
            close(current, at: place)
            close(number, at: place)
            current = number
          }
          place += 1
        }
      }
      close(current, at: place)
    }
    return (0..<count).map { index in
      // A region that touches the last pixel has no run outside behind it.
      let isOpen = ends[index] < place || runs[index].isEmpty
      return RunLengthEncoding(
        unchecked: runs[index] + (isOpen ? [place - ends[index]] : []), height: height,
        width: width)
    }
  }

  init(unchecked runs: [Int], height: Int, width: Int) {
    self.runs = runs
    self.height = height
    self.width = width
  }

  /// Pixels of the region.
  public var area: Int {
    stride(from: 1, to: runs.count, by: 2).reduce(0) { $0 + runs[$1] }
  }

  /// The region's rectangle; ``BoundingBox/empty`` where it has no pixels.
  public var box: BoundingBox {
    var box: BoundingBox?
    var place = 0
    for (index, run) in runs.enumerated() {
      if index % 2 == 1 && run > 0 {
        let (first, last) = (place, place + run - 1)
        var part = BoundingBox(x: first / height, y: first % height)
        part.form(unionWith: BoundingBox(x: last / height, y: last % height))
        if part.width > 1 { (part.y, part.height) = (0, height) }
        if box == nil { box = part } else { box?.form(unionWith: part) }
      }
      place += run
    }
    return box ?? .empty
  }

  /// Whether each pixel belongs to the region, row after row.
  public var pixels: [Bool] {
    var pixels = [Bool](repeating: false, count: height * width)
    var place = 0
    for (index, run) in runs.enumerated() {
      if index % 2 == 1 {
        for inner in place..<place + run {
          pixels[inner % height * width + inner / height] = true
        }
      }
      place += run
    }
    return pixels
  }

  static func check(height: Int, width: Int, place: String) throws {
    guard (1...PixelImage.sideLimit).contains(height), (1...PixelImage.sideLimit).contains(width)
    else {
      throw ExportError(
        .malformed, place,
        "a region of \(width) x \(height) pixels; expected 1 to \(PixelImage.sideLimit) a side")
    }
  }
}
