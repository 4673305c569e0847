public import TensorCore

/// Labels as LSeg compares pixels with them: unit vectors times the scale, packed once for all pictures.
public struct LSegLabels: Sendable {
  /// n, the number of labels.
  public let count: Int
  let weights: PackedWeights

  /// Takes the labels' features [n, D], normalised or not.
  ///
  /// - Precondition: there is a label.
  public init(_ features: Tensor) {
    precondition(
      features.rank == 2 && features.shape[0] > 0, "LSeg: label features \(features.shape)")
    count = features.shape[0]
    weights = PackedWeights(linear: LSeg.scale * unitVectors(features), precision: .exact)
  }
}

extension LSeg {
  /// Elements that one band of logits has at most, where a row has no more.
  private static let bandElements = 1 << 22

  /// The logits of all pixels for labels of features [n, D].
  ///
  /// - Returns: [N, H, W, n]; beside it, only a band of it is in memory.
  /// - Precondition: as ``pixelFeatures(_:)``.
  public func logits(_ image: Tensor, text: Tensor) -> Tensor {
    logits(pixelFeatures(image), LSegLabels(text))
  }

  /// The logits of all pixels at twice the features' size.
  ///
  /// - Shapes: `features` [N, h, w, D] → [N, 2h, 2w, n].
  public func logits(_ features: Tensor, _ labels: LSegLabels) -> Tensor {
    let (n, h, w, _) = features.dimensions4("LSeg features")
    let bands = (0..<n).map { sample in
      var bands: [Tensor] = []
      forEachBand(
        features.rows(sample..<sample + 1), labels, height: 2 * h, width: 2 * w
      ) { _, band in bands.append(band) }
      return bands
    }
    return joinedRows(bands.flatMap { $0 }).reshaped([n, 2 * h, 2 * w, labels.count])
  }

  /// The logits of one picture at any size, some rows at a time from the top, so that many labels fit into memory.
  ///
  /// The bytes do not depend on how rows are banded.
  ///
  /// - Parameters:
  ///   - features: of one picture [1, h, w, D].
  ///   - labels: what pixels are compared with.
  ///   - height: rows of the result; logits of 2h × 2w are resized to it, corners aligned.
  ///   - width: its columns.
  ///   - body: receives rows and their logits [rows, `width`, n].
  public func forEachBand(
    _ features: Tensor, _ labels: LSegLabels, height: Int, width: Int,
    body: (_ rows: Range<Int>, _ logits: Tensor) throws -> Void
  ) rethrows {
    precondition(height > 0 && width > 0, "LSeg: logits of \(height)×\(width)")
    let count = max(1, Self.bandElements / (max(width, features.shape[2]) * labels.count))
    for first in stride(from: 0, to: height, by: count) {
      let rows = first..<min(height, first + count)
      try body(rows, logits(features, labels, rows: rows, height: height, width: width))
    }
  }

  /// Some rows of one picture's logits at any size.
  private func logits(
    _ features: Tensor, _ labels: LSegLabels, rows: Range<Int>, height: Int, width: Int
  ) -> Tensor {
    let (n, h, w, d) = features.dimensions4("LSeg features")
    precondition(
      n == 1 && d == configuration.featureWidth && labels.weights.inputs == d,
      "LSeg: features \(features.shape) and labels of width \(labels.weights.inputs)")
    let wholeRows = bilinearSources(of: rows, height: height, from: 2 * h, alignsCorners: true)
    let halfRows = bilinearSources(of: wholeRows, height: 2 * h, from: h, alignsCorners: true)
    let held = LSegHeadBlock.widened(halfRows, by: headBlock?.reach ?? 0, h)
    let vectors = unitVectors(features.reshaped([h, w, d]).rows(held))
    var half = linear(vectors, labels.weights)  // [held, w, n]
    if let headBlock { half = headBlock(half, held: held, rows: halfRows, height: h) }
    let whole = bilinearResizedRows(
      half, sources: halfRows, of: h, to: wholeRows, height: 2 * h, width: 2 * w,
      alignsCorners: true)
    return bilinearResizedRows(
      whole, sources: wholeRows, of: 2 * h, to: rows, height: height, width: width,
      alignsCorners: true)
  }
}
