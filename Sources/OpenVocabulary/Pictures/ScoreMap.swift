import TensorCore

/// Scores of labels on a grid that is coarser or finer than the picture's.
struct ScoreMap: Sendable {
  /// The scores [h, w, labels].
  let scores: Tensor
  /// Whether the outermost grid points lie on the outermost pixels' centres, as in `align_corners` of PyTorch.
  let alignsCorners: Bool
}

/// For each pixel along a side: the two grid points it lies between, and how far it is from the first.
struct GridTaps {
  var first: [Int] = []
  var second: [Int] = []
  var fraction: [Float] = []

  init(from size: Int, to count: Int, alignsCorners: Bool) {
    let scale =
      alignsCorners
      ? (count > 1 ? Double(size - 1) / Double(count - 1) : 0) : Double(size) / Double(count)
    for index in 0..<count {
      let place = alignsCorners ? Double(index) * scale : (Double(index) + 0.5) * scale - 0.5
      let within = min(max(place, 0), Double(size - 1))
      let left = Int(within)
      first.append(left)
      second.append(min(left + 1, size - 1))
      fraction.append(Float(within - Double(left)))
    }
  }
}
