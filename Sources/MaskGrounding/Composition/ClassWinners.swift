import TensorCore

/// Which class each pixel goes to.
struct ClassWinners {
  /// No class.
  static let background: Int32 = -1
  /// Counts neither as right nor as wrong.
  static let ignored: Int32 = -2

  /// The class of each pixel, or one of the above.
  private(set) var classes: [Int32]
  private var highest: [Float]
  private var second: [Float]

  /// Gives each pixel to the candidate with the highest probability, the earlier one where two are equal.
  init(_ candidates: [Int], _ maps: Tensor, area: Int, threshold: Float) {
    classes = [Int32](repeating: Self.background, count: area)
    highest = [Float](repeating: 0, count: area)
    second = highest
    classes.withUnsafeMutableBufferPointer { classes in
      highest.withUnsafeMutableBufferPointer { highest in
        second.withUnsafeMutableBufferPointer { second in
          maps.withUnsafeBuffer { values in
            for candidate in candidates {
              let number = Int32(candidate)
              for place in 0..<area {
                let (value, top) = (values[candidate * area + place], highest[place])
                let wins = value > top
                second[place] = max(second[place], wins ? top : value)
                highest[place] = wins ? value : top
                classes[place] = wins ? number : classes[place]
              }
            }
          }
          for place in 0..<area where highest[place] < threshold {
            classes[place] = Self.background
          }
        }
      }
    }
  }

  /// Takes away what is uncertain; see ``MaskComposer``.
  mutating func ignore(band: Float, threshold: Float, nearEdge: [Bool]) {
    for place in classes.indices where nearEdge[place] {
      let isUndecided = abs(highest[place] - threshold) < band
      let isContested = classes[place] >= 0 && highest[place] - second[place] < band
      if isUndecided || isContested { classes[place] = Self.ignored }
    }
  }
}
