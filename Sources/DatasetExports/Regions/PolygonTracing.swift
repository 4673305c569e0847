/// The outlines of a region along the edges of its pixels.
///
/// Corners lie between pixels, so an outline encloses whole pixels and the COCO API's rasteriser gives exactly them
/// back. An outline cannot hold a hole: holes are filled first, and ``agreement`` says what that costs.
public struct PolygonTracing: Sendable, Equatable {
  /// Corners x1, y1, x2, y2, … of each piece, clockwise in picture coordinates; pieces that touch only at a corner are
  /// apart.
  public let polygons: [[Int]]
  /// Pixels inside the outlines.
  public let area: Int
  /// The region's pixels as a share of those inside the outlines: their intersection over union.
  public let agreement: Double

  /// The least agreement with which outlines may stand for a region.
  public static let leastAgreement = 0.995

  /// Whether the outlines may stand for the region.
  public var isFaithful: Bool { agreement >= Self.leastAgreement }

  /// Traces the pixels of a picture that have a number.
  ///
  /// - Parameters:
  ///   - numbers: a number a pixel, row after row.
  ///   - number: the region's number.
  ///   - width: pixels in a row of `numbers`.
  ///   - box: the region's rectangle.
  init(of numbers: [UInt8], number: UInt8, width: Int, box: BoundingBox) {
    var field = TracingField(box: box) { x, y in numbers[y * width + x] == number }
    let area = field.count
    field.fillHoles()
    self.area = field.count
    agreement = self.area == 0 ? 0 : Double(area) / Double(self.area)
    polygons = field.outlines()
  }
}
