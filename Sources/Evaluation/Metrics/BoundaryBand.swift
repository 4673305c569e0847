import Imaging

/// The pixels of a region that lie along its edge.
///
/// A region minus its erosion by a square of 3 × 3 pixels, d times over; what lies outside the picture is outside the
/// region, so the picture's border is an edge too.
///
/// - Source: Cheng et al., "Boundary IoU" (CVPR 2021); `bowenc0221/boundary-iou-api`
///   `boundary_iou/utils/boundary_utils.py`. It is taken of each class's own region, not of the map of labels.
public struct BoundaryBand: Sendable {
  /// The share of the picture's diagonal that a band is wide, where nobody says.
  public static let usualShare = 0.02

  /// Width of the picture.
  public let width: Int
  /// Height of the picture.
  public let height: Int
  /// How wide a band is, in pixels: 1 at least.
  public let distance: Int

  /// Bands for pictures of a size.
  ///
  /// - Precondition: both sides are from 1 to `PixelImage.sideLimit`, the share is from 0.
  public init(width: Int, height: Int, share: Double = BoundaryBand.usualShare) {
    precondition(
      1...PixelImage.sideLimit ~= width && 1...PixelImage.sideLimit ~= height && share >= 0,
      "a band of \(share) in \(width) x \(height)")
    let diagonal = Double(width * width + height * height).squareRoot()
    (self.width, self.height) = (width, height)
    distance = max(1, Int((share * diagonal).rounded(.toNearestOrEven)))
  }

  /// The bands of all regions of a map of labels at once: each label's pixels are a region of its own.
  ///
  /// - Shapes: `labels` [height, width], rows from the top → the same.
  public func callAsFunction<Label: Hashable>(_ labels: [Label]) -> [Bool] {
    precondition(labels.count == width * height, "\(labels.count) pixels of \(width) x \(height)")
    // d times 3 × 3 is once 2 d + 1, and a square is a row of a column.
    var inner: [Label?] = labels
    for y in 0..<height { erode(&inner, from: y * width, step: 1, count: width) }
    for x in 0..<width { erode(&inner, from: x, step: width, count: height) }
    return inner.map { $0 == nil }
  }

  /// Keeps of a line what has `distance` pixels of its own label on either side.
  private func erode<Label: Hashable>(
    _ labels: inout [Label?], from first: Int, step: Int, count: Int
  ) {
    var start = 0
    while start < count {
      let label = labels[first + start * step]
      var end = start + 1
      while end < count && labels[first + end * step] == label { end += 1 }
      if label != nil {
        let kept = start + distance..<max(start + distance, end - distance)
        for place in start..<min(kept.lowerBound, end) { labels[first + place * step] = nil }
        for place in max(kept.upperBound, start)..<max(kept.upperBound, end) {
          labels[first + place * step] = nil
        }
      }
      start = end
    }
  }
}
