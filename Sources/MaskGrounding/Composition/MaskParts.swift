/// The connected parts of a mask's classes, pixels being neighbours by a side, and sums over their pixels.
struct MaskParts {
  private let classes: [Int32]
  private let classCount: Int
  private let width: Int
  private let height: Int

  init(_ classes: [Int32], classCount: Int, width: Int, height: Int) {
    (self.classes, self.classCount) = (classes, classCount)
    (self.width, self.height) = (width, height)
  }

  /// What is known of each class, with its probabilities [classes, H, W].
  func scores(
    _ probabilities: UnsafeBufferPointer<Float>, presence: [Float],
    sharpness: [MaskEdges.Sharpness]
  ) -> [EntityScore] {
    var counts = [Int](repeating: 0, count: classCount)
    var sums = [Double](repeating: 0, count: classCount)
    var touches = [Bool](repeating: false, count: classCount)
    let area = classes.count
    for y in 0..<height {
      for x in 0..<width {
        let place = y * width + x
        let found = Int(classes[place])
        guard found >= 0 else { continue }
        counts[found] += 1
        sums[found] += Double(probabilities[found * area + place])
        if x == 0 || y == 0 || x == width - 1 || y == height - 1 { touches[found] = true }
      }
    }
    let parts = partCounts()
    return (0..<classCount).map { index in
      guard counts[index] > 0 else { return .absent(presence: presence[index]) }
      return EntityScore(
        isPresent: true, presence: presence[index], area: Float(counts[index]) / Float(area),
        confidence: Float(sums[index] / Double(counts[index])),
        edgeConfidence: sharpness[index].confidence, partCount: parts[index],
        touchesBorder: touches[index], entropy: sharpness[index].entropy)
    }
  }

  /// The parts of each class: runs of a row are joined with those they touch in the row above.
  private func partCounts() -> [Int] {
    var counts = [Int](repeating: 0, count: classCount)
    var parents: [Int] = []
    func root(_ run: Int) -> Int {
      var run = run
      while parents[run] != run {
        parents[run] = parents[parents[run]]
        run = parents[run]
      }
      return run
    }
    var above: [(x: Range<Int>, run: Int)] = []
    for y in 0..<height {
      var current: [(x: Range<Int>, run: Int)] = []
      var (x, first) = (0, 0)
      while x < width {
        let (start, found) = (x, classes[y * width + x])
        while x < width && classes[y * width + x] == found { x += 1 }
        guard found >= 0 else { continue }
        let run = parents.count
        parents.append(run)
        counts[Int(found)] += 1
        current.append((start..<x, run))
        while first < above.count && above[first].x.upperBound <= start { first += 1 }
        var other = first
        while other < above.count && above[other].x.lowerBound < x {
          let place = (y - 1) * width + max(start, above[other].x.lowerBound)
          if classes[place] == found {
            let (a, b) = (root(run), root(above[other].run))
            if a != b {
              parents[max(a, b)] = min(a, b)
              counts[Int(found)] -= 1
            }
          }
          other += 1
        }
      }
      above = current
    }
    return counts
  }
}
