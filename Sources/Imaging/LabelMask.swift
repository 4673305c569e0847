/// A class id for every pixel, rows from the top without padding.
///
/// - Shapes: `ids` [height, width].
public struct LabelMask: Sendable, Equatable {
  /// How many bits an id has in a file.
  public enum Depth: Int, Sendable {
    /// A palette PNG: ids 0 to 254, 255 for ``LabelMask/ignored``.
    case eight = 8
    /// A grey PNG: ids 0 to 65534, 65535 for ``LabelMask/ignored``.
    case sixteen = 16

    /// The depth for a table whose highest class id is given: the same for all masks of a run.
    public init(highestID: Int) {
      self = highestID <= LabelMask.highestEightBitID ? .eight : .sixteen
    }
  }

  /// What is no object.
  public static let background: UInt16 = 0
  /// What counts neither as right nor as wrong.
  public static let ignored: UInt16 = 65535
  /// The highest class id of an 8-bit mask.
  public static let highestEightBitID = 254

  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// The ids, `width * height` of them.
  public private(set) var ids: [UInt16]

  /// Takes ids as they are.
  ///
  /// - Parameters:
  ///   - width: pixels in a row, 1 to ``PixelImage/sideLimit``.
  ///   - height: rows, 1 to ``PixelImage/sideLimit``.
  ///   - ids: row after row.
  /// - Throws: ``ImagingError`` where the size is out of range or the count of ids is another.
  public init(width: Int, height: Int, ids: [UInt16]) throws {
    let expected = try PixelImage.checkedPixelCount(width: width, height: height)
    guard ids.count == expected else {
      throw ImagingError(
        .wrongSize, "\(ids.count) ids for \(width) x \(height) pixels; expected \(expected)")
    }
    self.width = width
    self.height = height
    self.ids = ids
  }

  /// A mask of one id.
  ///
  /// - Throws: ``ImagingError`` where the size is out of range.
  public init(width: Int, height: Int, repeating id: UInt16) throws {
    let count = try PixelImage.checkedPixelCount(width: width, height: height)
    (self.width, self.height) = (width, height)
    ids = [UInt16](repeating: id, count: count)
  }

  /// Gives every pixel the id that `body` has for its place, counted in rows from the top.
  public mutating func relabel(_ body: (_ place: Int) -> UInt16) {
    for place in ids.indices { ids[place] = body(place) }
  }

  /// The id of a pixel.
  ///
  /// - Precondition: the pixel lies in the mask.
  public subscript(x: Int, y: Int) -> UInt16 {
    get { ids[offset(x, y)] }
    set { ids[offset(x, y)] = newValue }
  }

  /// The mask in its palette's colours, to look at.
  public var coloured: PixelImage {
    var image = PixelImage(unchecked: width, height, .rgb)
    for y in 0..<height {
      for x in 0..<width {
        let id = self[x, y]
        image[x, y] = Palette.colour(of: id == Self.ignored ? 255 : id)
      }
    }
    return image
  }

  private func offset(_ x: Int, _ y: Int) -> Int {
    precondition(
      (0..<width).contains(x) && (0..<height).contains(y),
      "pixel (\(x), \(y)) of \(width) x \(height)")
    return y * width + x
  }
}
