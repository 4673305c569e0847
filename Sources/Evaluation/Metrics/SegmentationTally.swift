public import Imaging

/// All that the scores of a segmentation are made of: one confusion matrix over a whole data set, and the bands along
/// the edges of each class's regions.
///
/// Pixels whose truth is ignored or no class count for nothing and belong to no region. Sums are of whole numbers: the
/// order of pictures changes nothing.
public struct SegmentationTally: Sendable, Equatable {
  /// Which class was taken for which.
  public private(set) var matrix: ConfusionMatrix
  /// The bands along edges, in the order of the matrix's classes.
  public private(set) var bands: [ClassOverlap]
  /// How many pictures were added.
  public private(set) var pictures = 0
  /// How wide a band is, as a share of the picture's diagonal.
  public let boundaryShare: Double

  /// An empty tally.
  ///
  /// - Precondition: as `ConfusionMatrix.init(classes:)` has it, and the share is from 0.
  public init(classes: [Int], boundaryShare: Double = BoundaryBand.usualShare) {
    precondition(boundaryShare >= 0, "a band of \(boundaryShare)")
    matrix = ConfusionMatrix(classes: classes)
    bands = matrix.classes.map { ClassOverlap(id: $0) }
    self.boundaryShare = boundaryShare
  }

  /// Adds a picture.
  ///
  /// - Precondition: the masks have one size.
  public mutating func add(truth: LabelMask, prediction: LabelMask) {
    matrix.add(truth: truth, prediction: prediction)
    let ids = matrix.classes
    var known = truth
    // Truth that is no class counts for nothing, as in the matrix.
    known.relabel { matrix.contains(truth.ids[$0]) ? truth.ids[$0] : LabelMask.ignored }
    let pair = MaskPair(truth: known, prediction: prediction, boundaryShare: boundaryShare)
    for (place, id) in ids.enumerated() { bands[place].add(pair.bands[id]) }
    pictures += 1
  }

  /// Adds what another tally of the same classes counted.
  public mutating func add(_ other: SegmentationTally) {
    matrix.add(other.matrix)
    for (place, band) in other.bands.enumerated() { bands[place].add(band) }
    pictures += other.pictures
  }
}
