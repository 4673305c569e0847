public import Imaging

/// The scores of few-shot segmentation: in each episode one class stands against everything else.
///
/// - Source: the evaluation of HSNet (Min et al., ICCV 2021) and LSeg: `isl-org/lang-seg`
///   `fewshot_data/common/evaluation.py` and `logger.py`.
public struct FewShotTally: Sendable, Equatable {
  /// What an episode's masks say of the class.
  public static let foreground: UInt16 = 1

  /// What is known of one class.
  public struct Entry: Sendable, Equatable {
    /// Episodes that asked for it.
    public var episodes = 0
    /// Its own pixels.
    public var foreground: ClassOverlap
    /// All others.
    public var background: ClassOverlap
  }

  /// What is known of each class, by id.
  public private(set) var entries: [Int: Entry]

  /// An empty tally.
  ///
  /// - Parameter classes: the ids of the classes that are tested.
  public init(classes: [Int]) {
    entries = Dictionary(
      uniqueKeysWithValues: classes.map { id in
        (id, Entry(foreground: ClassOverlap(id: id), background: ClassOverlap(id: id)))
      })
  }

  /// Adds an episode.
  ///
  /// - Parameters:
  ///   - truth: ``foreground``, 0, or ignored, where neither side counts.
  ///   - prediction: ``foreground`` or 0.
  ///   - id: the class that was asked for.
  /// - Precondition: the class is tested, and the masks have one size.
  public mutating func add(truth: LabelMask, prediction: LabelMask, of id: Int) {
    precondition(
      truth.width == prediction.width && truth.height == prediction.height,
      "masks of \(truth.width) x \(truth.height) and \(prediction.width) x \(prediction.height)")
    guard var entry = entries[id] else { preconditionFailure("the class \(id) is not tested") }
    var matrix = ConfusionMatrix(classes: [Int(LabelMask.background), Int(Self.foreground)])
    matrix.add(truth: truth, prediction: prediction)
    entry.episodes += 1
    entry.background.add(matrix.overlaps[0])
    entry.foreground.add(matrix.overlaps[1])
    entries[id] = entry
  }

  /// Adds what another tally of the same classes counted, so many times.
  public mutating func add(_ other: FewShotTally, times: Int = 1) {
    for (id, entry) in other.entries {
      precondition(entries[id] != nil, "tallies of different classes")
      entries[id]?.episodes += times * entry.episodes
      for _ in 0..<times {
        entries[id]?.foreground.add(entry.foreground)
        entries[id]?.background.add(entry.background)
      }
    }
  }

  /// Intersection over union of a class's own pixels, summed over its episodes, 0...1; nil where there are none of them.
  public func intersectionOverUnion(_ id: Int) -> Double? {
    entries[id]?.foreground.intersectionOverUnion
  }

  /// The mean of that over the classes, 0...1; nil where there are none.
  ///
  /// - Parameter absent: what a class is that was in no mask; the published code has 0.
  /// - Returns: the mean.
  public func meanIoU(absent: SegmentationScores.AbsentClasses = .zero) -> Double? {
    Mean.of(
      entries.keys.sorted().compactMap { id in
        intersectionOverUnion(id) ?? (absent == .zero ? 0 : nil)
      })
  }

  /// Foreground and background each summed over all classes: the two ratios, 0...1; nil where a side has no pixels.
  public var sides: (foreground: Double?, background: Double?) {
    var (foreground, background) = (ClassOverlap(id: 1), ClassOverlap(id: 0))
    for entry in entries.values {
      foreground.add(entry.foreground)
      background.add(entry.background)
    }
    return (foreground.intersectionOverUnion, background.intersectionOverUnion)
  }

  /// FB-IoU: the mean of the two; nil where a side has no pixels.
  public var foregroundBackgroundIoU: Double? {
    guard let foreground = sides.foreground, let background = sides.background else { return nil }
    return (foreground + background) / 2
  }
}
