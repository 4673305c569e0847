public import Imaging

/// How many pixels of each class were taken for each class, over a whole data set.
///
/// Pixels whose truth is ``LabelMask/ignored`` or no class of the matrix count for nothing. A prediction that is no class
/// of the matrix, ignored ones among them, is wrong: a predictor cannot abstain.
///
/// - Source: one matrix over all pictures, never a mean over pictures, as `facebookresearch/detectron2`
///   `detectron2/evaluation/sem_seg_evaluation.py` has it.
public struct ConfusionMatrix: Sendable, Equatable {
  /// The most classes of a matrix.
  public static let classLimit = 2048

  /// The ids of the classes, ascending.
  public let classes: [Int]
  /// [classes, classes + 1]: by truth, then prediction; the last column is what was taken for no class.
  private var counts: [Int]
  /// The row of an id; -1 for ids that are no class.
  private let rows: [Int32]

  /// An empty matrix.
  ///
  /// - Precondition: there are 1 to ``classLimit`` different ids from 0 to 65534; 0 is the background, where that is to
  ///   be a class.
  public init(classes: [Int]) {
    let ids = Set(classes).sorted()
    precondition(
      ids.count == classes.count && 1...Self.classLimit ~= ids.count
        && ids.allSatisfy { 0..<Int(LabelMask.ignored) ~= $0 },
      "a matrix of \(classes.count) classes, \(ids.count) of them different")
    self.classes = ids
    counts = [Int](repeating: 0, count: ids.count * (ids.count + 1))
    var rows = [Int32](repeating: -1, count: Int(LabelMask.ignored) + 1)
    for (row, id) in ids.enumerated() { rows[id] = Int32(row) }
    self.rows = rows
  }

  /// Adds a picture.
  ///
  /// - Precondition: the masks have one size.
  public mutating func add(truth: LabelMask, prediction: LabelMask) {
    precondition(
      truth.width == prediction.width && truth.height == prediction.height,
      "masks of \(truth.width) x \(truth.height) and \(prediction.width) x \(prediction.height)")
    let columns = classes.count + 1
    for (truth, prediction) in zip(truth.ids, prediction.ids) {
      let row = Int(rows[Int(truth)])
      guard row >= 0 else { continue }
      let column = Int(rows[Int(prediction)])
      counts[row * columns + (column < 0 ? classes.count : column)] += 1
    }
  }

  /// Adds what another matrix of the same classes counted.
  public mutating func add(_ other: ConfusionMatrix) {
    precondition(other.classes == classes, "matrices of different classes")
    for place in counts.indices { counts[place] += other.counts[place] }
  }

  /// Whether an id is one of the classes.
  public func contains(_ id: UInt16) -> Bool { rows[Int(id)] >= 0 }

  /// Pixels of one class that were taken for another; 0 where an id is no class.
  public func count(truth: Int, prediction: Int) -> Int {
    guard let row = classes.firstIndex(of: truth), let column = classes.firstIndex(of: prediction)
    else { return 0 }
    return counts[row * (classes.count + 1) + column]
  }

  /// What is known of each class, in the order of ``classes``.
  public var overlaps: [ClassOverlap] {
    let columns = classes.count + 1
    return classes.indices.map { index in
      ClassOverlap(
        id: classes[index], matched: counts[index * columns + index],
        truth: counts[index * columns..<(index + 1) * columns].reduce(0, +),
        predicted: classes.indices.reduce(0) { $0 + counts[$1 * columns + index] })
    }
  }
}
