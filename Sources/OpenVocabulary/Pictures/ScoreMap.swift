import TensorCore

/// Scores of labels on a grid that is coarser or finer than the picture's.
struct ScoreMap: Sendable {
  /// The scores [1, h, w, labels].
  let scores: Tensor
  /// Whether the outermost grid points lie on the outermost pixels' centres, as in `align_corners` of PyTorch.
  let alignsCorners: Bool

  /// The number of labels.
  var count: Int { scores.lastDimension }

  /// Rows of the scores at a picture's size [rows, width, labels].
  func rows(_ rows: Range<Int>, height: Int, width: Int) -> Tensor {
    let (_, h, w, count) = scores.dimensions4("scores")
    let sources = bilinearSources(
      of: rows, height: height, from: h, alignsCorners: alignsCorners)
    return bilinearResizedRows(
      scores.reshaped([h, w, count]).rows(sources), sources: sources, of: h, to: rows,
      height: height, width: width, alignsCorners: alignsCorners)
  }
}
