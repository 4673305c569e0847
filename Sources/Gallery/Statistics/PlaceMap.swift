public import CanonicalJSON
public import Imaging

/// Where in pictures objects lie: how much of each cell of a grid over the picture masks cover, in the mean of all masks.
///
/// Pictures of any size and shape are laid on the same grid. Of a picture with fewer pixels than cells, a pixel counts
/// for every cell that begins in it.
public struct PlaceMap: Sendable, Equatable {
  /// Cells of a row and rows of the grid.
  public static let side = 32

  /// Masks that were counted.
  public private(set) var masks = 0
  private var sums = [Double](repeating: 0, count: side * side)

  /// Counts nothing yet.
  public init() {}

  /// Counts a mask: every pixel that is neither background nor to be ignored.
  public mutating func add(_ mask: LabelMask) {
    masks += 1
    let columns = (0..<Self.side).map { Self.pixels(of: $0, count: mask.width) }
    for row in 0..<Self.side {
      let lines = Self.pixels(of: row, count: mask.height)
      for column in 0..<Self.side {
        let span = columns[column]
        var covered = 0
        for y in lines {
          for id in mask.ids[
            (y * mask.width + span.lowerBound)..<(y * mask.width + span.upperBound)]
          where id != LabelMask.background && id != LabelMask.ignored {
            covered += 1
          }
        }
        sums[row * Self.side + column] += Double(covered) / Double(lines.count * span.count)
      }
    }
  }

  /// The share of a cell that objects cover, 0 to 1, rows from the top; zeros where no mask was counted.
  public var shares: [Double] { sums.map { masks == 0 ? 0 : $0 / Double(masks) } }

  /// The shares row by row, to six digits.
  public var json: JSONValue {
    let shares = shares
    return .array(
      (0..<Self.side).map { row in
        .array(
          shares[row * Self.side..<(row + 1) * Self.side].map {
            .number(($0 * 1e6).rounded() / 1e6)
          })
      })
  }

  /// The pixels of one axis that a cell is made of: at least one.
  private static func pixels(of cell: Int, count: Int) -> Range<Int> {
    let start = cell * count / side
    return start..<max(start + 1, (cell + 1) * count / side)
  }
}
