import TensorCore

/// Scores of labels on a grid that is coarser or finer than the picture's.
struct ScoreMap: Sendable {
  /// The scores [1, h, w, labels].
  let scores: Tensor
  /// Whether the outermost grid points lie on the outermost pixels' centres, as in `align_corners` of PyTorch.
  let alignsCorners: Bool

  /// The number of labels.
  var count: Int { scores.lastDimension }

  /// Rows of the scores at a picture's size [1, rows, width, labels].
  func rows(_ rows: Range<Int>, height: Int, width: Int) -> Tensor {
    bilinearResized(
      scores, height: height, width: width, alignsCorners: alignsCorners, part: rows)
  }
}
