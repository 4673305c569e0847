public import Imaging

/// Where the classes of a picture are.
public struct ExampleMasks: Sendable {
  /// How masks are given.
  private enum Content: Sendable {
    /// One class a pixel.
    case labels(LabelMask)
    /// A plane for each class, 0 to 255; planes may overlap.
    case planes([Int: [UInt8]])
  }

  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  private let content: Content

  /// Masks in which each pixel is of one class.
  public init(_ mask: LabelMask) {
    (width, height) = (mask.width, mask.height)
    content = .labels(mask)
  }

  /// Masks of each class by itself.
  ///
  /// - Parameters:
  ///   - planes: by class id, `width` × `height` shares from 0 to 255 in rows.
  ///   - width: pixels in a row.
  ///   - height: rows.
  /// - Precondition: every plane has that many.
  public init(planes: [Int: [UInt8]], width: Int, height: Int) {
    precondition(
      planes.values.allSatisfy { $0.count == width * height },
      "planes that are not \(width)×\(height)")
    (self.width, self.height) = (width, height)
    content = .planes(planes)
  }

  /// The ids that are in the masks, ascending.
  public var ids: [Int] {
    switch content {
    case .labels(let mask):
      Set(mask.ids).filter { $0 != LabelMask.background && $0 != LabelMask.ignored }.map(Int.init)
        .sorted()
    case .planes(let planes): planes.filter { $0.value.contains { $0 > 0 } }.keys.sorted()
    }
  }

  /// Writes the share of each pixel that is of a class, 0 to 1; zeros for a class that is not there.
  ///
  /// Of a pixel that is to be ignored one half is asked: neither answer is right there.
  package func write(_ id: Int, to out: UnsafeMutableBufferPointer<Float>) {
    switch content {
    case .labels(let mask):
      for (place, own) in mask.ids.enumerated() {
        out[place] = own == LabelMask.ignored ? 0.5 : Int(own) == id ? 1 : 0
      }
    case .planes(let planes):
      let plane = planes[id]
      for place in out.indices { out[place] = plane.map { Float($0[place]) / 255 } ?? 0 }
    }
  }
}
