/// Brings maps to another size: rows, then columns are weighted sums of old ones.
///
/// - Source: PyTorch's `interpolate` with `align_corners=False` and no antialiasing; bicubic with a = −0.75.
struct MapResampling {
  /// How values are mixed.
  enum Method {
    /// The two nearest on either axis, by nearness; edges are repeated.
    case bilinear
    /// The four nearest on either axis by a cubic curve, which may leave the values' range; edges are repeated.
    case bicubic
    /// The mean of all that the new cell touches.
    case area
  }

  private let method: Method

  init(_ method: Method) { self.method = method }

  /// Resizes a map of `height` rows.
  func callAsFunction(
    _ map: [Float], height: Int, width: Int, toHeight: Int, toWidth: Int
  ) -> [Float] {
    var result = [Float](repeating: 0, count: toHeight * toWidth)
    map.withUnsafeBufferPointer { from in
      result.withUnsafeMutableBufferPointer { to in
        resize(from, height, width, into: to, toHeight, toWidth)
      }
    }
    return result
  }

  /// Resizes a map of `height` rows into memory for `toHeight` rows.
  func resize(
    _ map: UnsafeBufferPointer<Float>, _ height: Int, _ width: Int,
    into result: UnsafeMutableBufferPointer<Float>, _ toHeight: Int, _ toWidth: Int
  ) {
    precondition(
      map.count == height * width && result.count == toHeight * toWidth && !map.isEmpty,
      "resize: \(map.count) values are not \(height) x \(width)")
    let columns = (0..<toWidth).map { taps(of: $0, from: width, to: toWidth) }
    var wide = [Float](repeating: 0, count: height * toWidth)
    wide.withUnsafeMutableBufferPointer { wide in
      for (x, taps) in columns.enumerated() {
        for y in 0..<height {
          var sum: Float = 0
          for tap in taps { sum += tap.weight * map[y * width + tap.index] }
          wide[y * toWidth + x] = sum
        }
      }
      for y in 0..<toHeight {
        let row = y * toWidth
        for (place, tap) in taps(of: y, from: height, to: toHeight).enumerated() {
          let (from, weight) = (tap.index * toWidth, tap.weight)
          if place == 0 {
            for x in 0..<toWidth { result[row + x] = weight * wide[from + x] }
          } else {
            for x in 0..<toWidth { result[row + x] += weight * wide[from + x] }
          }
        }
      }
    }
  }

  private func taps(of position: Int, from old: Int, to new: Int) -> [(index: Int, weight: Float)] {
    if method == .area {
      let range = position * old / new..<((position + 1) * old + new - 1) / new
      return range.map { ($0, 1 / Float(range.count)) }
    }
    let centre = (Float(position) + 0.5) * Float(old) / Float(new) - 0.5
    if method == .bilinear {
      let clamped = max(0, centre)
      let first = min(Int(clamped), old - 1)
      let share = clamped - Float(first)
      return [(first, 1 - share), (min(first + 1, old - 1), share)]
    }
    let floor = centre.rounded(.down)
    let (first, share) = (Int(floor), centre - floor)
    return (-1...2).map { step in
      let index = min(max(first + step, 0), old - 1)
      return (index, Self.cubic(abs(Float(step) - share)))
    }
  }

  /// The cubic curve at a distance of 0...2.
  private static func cubic(_ x: Float) -> Float {
    let a: Float = -0.75
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  }
}
