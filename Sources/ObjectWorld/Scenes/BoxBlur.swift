/// Means over squares, by running sums.
enum BoxBlur {
  /// Replaces each value by the mean of the square around it of 2 `radius` + 1 pixels a side; outside is 0.
  static func blur(_ plane: inout [Float], width: Int, radius: Int) {
    guard width > 0, !plane.isEmpty else { return }
    let height = plane.count / width
    var lines = [Float](repeating: 0, count: plane.count)
    let share = 1 / Float(2 * radius + 1)
    for y in 0..<height {
      let row = y * width
      var sum: Float = 0
      for x in 0..<min(radius, width) { sum += plane[row + x] }
      for x in 0..<width {
        if x + radius < width { sum += plane[row + x + radius] }
        if x > radius { sum -= plane[row + x - radius - 1] }
        lines[row + x] = max(0, sum * share)
      }
    }
    var sums = [Float](repeating: 0, count: width)
    for y in 0..<min(radius, height) {
      for x in 0..<width { sums[x] += lines[y * width + x] }
    }
    for y in 0..<height {
      let (next, last) = ((y + radius) * width, (y - radius - 1) * width)
      for x in 0..<width {
        if y + radius < height { sums[x] += lines[next + x] }
        if y > radius { sums[x] -= lines[last + x] }
        plane[y * width + x] = max(0, sums[x] * share)
      }
    }
  }
}
