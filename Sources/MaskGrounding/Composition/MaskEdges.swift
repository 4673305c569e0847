/// The pixels near the edges of a mask, two being neighbours where they share a side.
struct MaskEdges {
  /// How sure a class is of its edge.
  struct Sharpness: Equatable {
    /// See ``EntityScore/edgeConfidence``.
    var confidence: Float
    /// See ``EntityScore/entropy``.
    var entropy: Float
  }

  /// Whether a pixel is at most 2 steps from one of another class.
  let isNear: [Bool]
  private let classes: [Int32]
  private let width: Int
  private let height: Int
  private let boxes: [Int32: (x: ClosedRange<Int>, y: ClosedRange<Int>)]

  init(_ classes: [Int32], width: Int, height: Int) {
    (self.classes, self.width, self.height) = (classes, width, height)
    var isAt = [Bool](repeating: false, count: classes.count)
    for y in 0..<height {
      for x in 0..<width {
        let place = y * width + x
        if x + 1 < width, classes[place] != classes[place + 1] {
          isAt[place] = true
          isAt[place + 1] = true
        }
        if y + 1 < height, classes[place] != classes[place + width] {
          isAt[place] = true
          isAt[place + width] = true
        }
      }
    }
    // A pixel 2 steps from another class has a neighbour of its own class that is 1 step from it.
    var isNear = isAt
    for y in 0..<height {
      for x in 0..<width where isAt[y * width + x] {
        if x > 0 { isNear[y * width + x - 1] = true }
        if x + 1 < width { isNear[y * width + x + 1] = true }
        if y > 0 { isNear[(y - 1) * width + x] = true }
        if y + 1 < height { isNear[(y + 1) * width + x] = true }
      }
    }
    self.isNear = isNear
    boxes = Self.boxes(classes, width: width, height: height)
  }

  private static func boxes(
    _ classes: [Int32], width: Int, height: Int
  ) -> [Int32: (x: ClosedRange<Int>, y: ClosedRange<Int>)] {
    var boxes: [Int32: (x: ClosedRange<Int>, y: ClosedRange<Int>)] = [:]
    for y in 0..<height {
      var x = 0
      while x < width {
        let found = classes[y * width + x]
        let start = x
        while x < width && classes[y * width + x] == found { x += 1 }
        guard found >= 0 else { continue }
        if let box = boxes[found] {
          boxes[found] = (
            min(box.x.lowerBound, start)...max(box.x.upperBound, x - 1), box.y.lowerBound...y
          )
        } else {
          boxes[found] = (start...x - 1, y...y)
        }
      }
    }
    return boxes
  }

  /// How sure a class is, with its probabilities [H, W]; 0 where it has no pixel.
  func sharpness(of index: Int, _ probabilities: UnsafePointer<Float>?) -> Sharpness {
    let number = Int32(index)
    guard let probabilities, let box = boxes[number] else {
      return Sharpness(confidence: 0, entropy: 0)
    }
    var (right, entropy) = (0.0, 0.0)
    var (edgeCount, count) = (0, 0)
    for y in max(0, box.y.lowerBound - 2)...min(height - 1, box.y.upperBound + 2) {
      for x in max(0, box.x.lowerBound - 2)...min(width - 1, box.x.upperBound + 2) {
        let place = y * width + x
        let isInside = classes[place] == number
        // Most pixels are inside and far from an edge, or outside and far from this class.
        guard isInside || isNear[place] && touches(number, x, y) else { continue }
        let probability = Double(probabilities[place])
        entropy += Logarithm.entropy(of: probability)
        count += 1
        if isNear[place] {
          right += isInside ? probability : 1 - probability
          edgeCount += 1
        }
      }
    }
    return Sharpness(
      confidence: edgeCount > 0 ? Float(right / Double(edgeCount)) : 0,
      entropy: Float(entropy / Double(max(1, count))))
  }

  /// Whether a pixel of another class is at most 2 steps from this one.
  private func touches(_ number: Int32, _ x: Int, _ y: Int) -> Bool {
    for dy in -2...2 where y + dy >= 0 && y + dy < height {
      let reach = 2 - abs(dy)
      for dx in -reach...reach where x + dx >= 0 && x + dx < width {
        if classes[(y + dy) * width + x + dx] == number { return true }
      }
    }
    return false
  }
}
