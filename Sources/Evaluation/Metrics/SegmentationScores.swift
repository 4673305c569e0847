/// The usual scores of segmentation, from one confusion matrix.
///
/// - Source: `facebookresearch/detectron2` `sem_seg_evaluation.py` for means over classes that are there;
///   `valeoai/ZS3` `zs3/utils/metrics.py` for classes that are not counting as 0.
public struct SegmentationScores: Sendable, Equatable {
  /// What classes without a pixel of truth are in means of intersection over union.
  public enum AbsentClasses: String, Sendable, CaseIterable {
    /// Left out: the mean is over what is there.
    case leftOut = "present-only"
    /// 0.
    case zero
  }

  /// What is known of each class, by ascending id.
  public let classes: [ClassOverlap]
  /// What is known of the bands along the edges of each class's regions, in the same order; none of a bare matrix.
  public let bands: [ClassOverlap]
  /// How absent classes are treated.
  public let absent: AbsentClasses

  /// Scores what was counted.
  public init(_ matrix: ConfusionMatrix, absent: AbsentClasses = .leftOut) {
    (classes, bands) = (matrix.overlaps, [])
    self.absent = absent
  }

  /// Scores what was counted, bands along edges among it.
  public init(_ tally: SegmentationTally, absent: AbsentClasses = .leftOut) {
    (classes, bands) = (tally.matrix.overlaps, tally.bands)
    self.absent = absent
  }

  /// The share of all pixels that are right, 0...1; nil where there are none.
  public var pixelAccuracy: Double? {
    let (right, all) = classes.reduce((0, 0)) { ($0.0 + $1.matched, $0.1 + $1.truth) }
    return all > 0 ? Double(right) / Double(all) : nil
  }

  /// The mean over the classes that are there of the share of their pixels that is right, 0...1.
  public var meanAccuracy: Double? { Mean.of(classes.compactMap(\.accuracy)) }

  /// Intersection over union, each class counting by its pixels, 0...1.
  public var frequencyWeightedIoU: Double? {
    let all = classes.reduce(0) { $0 + $1.truth }
    guard all > 0 else { return nil }
    return classes.reduce(0) { sum, one in
      sum + Double(one.truth) / Double(all) * (one.intersectionOverUnion ?? 0)
    }
  }

  /// The mean intersection over union of some classes, all of them where nil, 0...1; nil where none counts.
  public func meanIoU(of ids: Set<Int>? = nil) -> Double? {
    mean(of: ids, classes)
  }

  /// The mean boundary IoU, a class being absent where its region is; nil where none counts or a bare matrix is scored.
  public func boundaryIoU(of ids: Set<Int>? = nil) -> Double? {
    bands.isEmpty ? nil : mean(of: ids, bands)
  }

  /// The mean of the smaller one of the two for each class, "combined" in the paper on boundary IoU.
  public func combinedIoU() -> Double? {
    guard !bands.isEmpty else { return nil }
    return Mean.of(
      zip(classes, bands).compactMap { one, band in
        guard one.truth > 0 else { return absent == .zero ? 0 : nil }
        return min(one.intersectionOverUnion ?? 0, band.intersectionOverUnion ?? 0)
      })
  }

  private func mean(of ids: Set<Int>?, _ overlaps: [ClassOverlap]) -> Double? {
    Mean.of(
      zip(classes, overlaps).filter { ids?.contains($0.0.id) ?? true }.compactMap { one, overlap in
        guard one.truth > 0 else { return absent == .zero ? 0 : nil }
        return overlap.intersectionOverUnion
      })
  }

  /// The same for both sides of a split.
  public func split(seen: Set<Int>, unseen: Set<Int>) -> SplitScore {
    SplitScore(seen: meanIoU(of: seen), unseen: meanIoU(of: unseen))
  }
}
