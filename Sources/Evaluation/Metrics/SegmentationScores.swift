/// The usual scores of segmentation, from one confusion matrix.
///
/// - Source: `facebookresearch/detectron2` `sem_seg_evaluation.py` for means over classes that are there;
///   `valeoai/ZS3` `zs3/utils/metrics.py` for classes that are not counting as 0.
public struct SegmentationScores: Sendable, Equatable {
  /// What classes without a pixel of truth are in means of intersection over union.
  public enum AbsentClasses: String, Sendable, CaseIterable {
    /// Left out.
    case leftOut
    /// 0.
    case zero
  }

  /// What is known of each class, by ascending id.
  public let classes: [ClassOverlap]
  private let absent: AbsentClasses

  /// Scores what was counted.
  public init(_ matrix: ConfusionMatrix, absent: AbsentClasses = .leftOut) {
    classes = matrix.overlaps
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
    Mean.of(
      classes.filter { ids?.contains($0.id) ?? true }.compactMap { one in
        guard one.truth > 0 else { return absent == .zero ? 0 : nil }
        return one.intersectionOverUnion
      })
  }

  /// The same for both sides of a split.
  public func split(seen: Set<Int>, unseen: Set<Int>) -> SplitScore {
    SplitScore(seen: meanIoU(of: seen), unseen: meanIoU(of: unseen))
  }
}
