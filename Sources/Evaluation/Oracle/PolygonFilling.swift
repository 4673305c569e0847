/// Which pixels a polygon covers.
enum PolygonFilling {
  /// A pixel is covered where its centre lies inside, by the even-odd rule.
  ///
  /// - Parameters:
  ///   - points: x and y in turn, in pixels from the picture's corner.
  ///   - width: columns of the picture.
  ///   - height: its rows.
  ///   - pixels: [height, width], set where covered.
  static func fill(_ points: [Double], width: Int, height: Int, into pixels: inout [Bool]) {
    let count = points.count / 2
    for y in 0..<height {
      let centre = Double(y) + 0.5
      var crossings: [Double] = []
      for corner in 0..<count {
        let next = (corner + 1) % count
        let (x0, y0) = (points[2 * corner], points[2 * corner + 1])
        let (x1, y1) = (points[2 * next], points[2 * next + 1])
        guard (y0 <= centre) != (y1 <= centre) else { continue }
        crossings.append(x0 + (centre - y0) / (y1 - y0) * (x1 - x0))
      }
      crossings.sort()
      for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
        // The centres from the one crossing to below the other.
        let first = (crossings[pair] - 0.5).rounded(.up)
        let end = (crossings[pair + 1] - 0.5).rounded(.up)
        let range = Int(min(max(first, 0), Double(width)))..<Int(min(max(end, 0), Double(width)))
        for x in range { pixels[y * width + x] = true }
      }
    }
  }
}
