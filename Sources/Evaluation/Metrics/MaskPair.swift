import Imaging

/// What the regions of two masks of one picture have in common, label by label; pixels whose truth is ignored belong to no
/// region of either mask.
struct MaskPair {
  /// The overlap of each label that occurs.
  private(set) var regions: [Int: ClassOverlap]
  /// The overlap of the bands along the edges of each label's region.
  private(set) var bands: [Int: ClassOverlap]

  /// Compares two masks.
  ///
  /// - Precondition: they have one size.
  init(truth: LabelMask, prediction: LabelMask, boundaryShare: Double) {
    precondition(
      truth.width == prediction.width && truth.height == prediction.height,
      "masks of \(truth.width) x \(truth.height) and \(prediction.width) x \(prediction.height)")
    let found = zip(truth.ids, prediction.ids).map { $0 == LabelMask.ignored ? $0 : $1 }
    let band = BoundaryBand(width: truth.width, height: truth.height, share: boundaryShare)
    regions = Self.overlaps(truth.ids, found, where: nil)
    bands = Self.overlaps(truth.ids, found, where: (band(truth.ids), band(found)))
  }

  /// Counts the pixels of each label for which the tests of truth and prediction hold.
  private static func overlaps(
    _ truth: [UInt16], _ found: [UInt16], where holds: (truth: [Bool], found: [Bool])?
  ) -> [Int: ClassOverlap] {
    var counts = [Int](repeating: 0, count: 3 * (Int(LabelMask.ignored) + 1))
    var labels: Set<UInt16> = []
    // Ignored truth is passed over, so that no pixel is as this.
    var last = (own: LabelMask.ignored, other: LabelMask.ignored)
    for place in truth.indices {
      let (own, other) = (truth[place], found[place])
      if own == LabelMask.ignored { continue }
      if own != last.own || other != last.other {
        labels.formUnion([own, other])
        last = (own, other)
      }
      let isTrue = holds?.truth[place] ?? true
      let isFound = holds?.found[place] ?? true
      if isTrue { counts[3 * Int(own)] += 1 }
      if isFound { counts[3 * Int(other) + 1] += 1 }
      if isTrue, isFound, own == other { counts[3 * Int(own) + 2] += 1 }
    }
    return Dictionary(
      uniqueKeysWithValues: labels.map { label in
        let start = 3 * Int(label)
        return (
          Int(label),
          ClassOverlap(
            id: Int(label), matched: counts[start + 2], truth: counts[start],
            predicted: counts[start + 1])
        )
      })
  }
}
