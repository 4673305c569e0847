import DatasetFormat
import Generation
public import Imaging
import TensorCore

/// Holds masks against the truth, picture by picture, all of it summed in one tally.
///
/// Files are read a few at a time, on all threads; sums are of whole numbers, so neither order nor threads change a figure.
public struct SegmentationEvaluation {
  private static let batchOfThread = 4

  private let truth: any LabelledPictures
  private let boundaryShare: Double
  /// Whether an id is a class of the truth, or the background.
  private let known: [Bool]
  private let ids: [Int]

  /// Prepares to measure.
  ///
  /// - Parameters:
  ///   - truth: pictures with their masks.
  ///   - boundaryShare: how wide the bands of boundary IoU are, as a share of a picture's diagonal.
  /// - Throws: `GenerationError` where there are more classes than a matrix has, or none.
  public init(
    _ truth: any LabelledPictures, boundaryShare: Double = BoundaryBand.usualShare
  ) throws {
    let own = truth.classes.entries.map(\.id)
    ids = (truth.background == .scored ? [Int(LabelMask.background)] : []) + own
    guard 1...ConfusionMatrix.classLimit ~= ids.count, !own.isEmpty else {
      throw GenerationError(
        .malformed, truth.path,
        "\(own.count) classes; 1 to \(ConfusionMatrix.classLimit) can be compared")
    }
    var known = [Bool](repeating: false, count: Int(LabelMask.ignored) + 1)
    for id in own + [Int(LabelMask.background), Int(LabelMask.ignored)] { known[id] = true }
    self.known = known
    (self.truth, self.boundaryShare) = (truth, boundaryShare)
  }

  /// Measures masks in files.
  ///
  /// - Parameters:
  ///   - predicted: the masks, one for each picture.
  ///   - folding: what becomes of a predicted id before it is compared; all stay where nil.
  ///   - watch: told how many are done; throwing ends the work.
  /// - Returns: what was counted.
  /// - Throws: what `watch` throws, and for a file that is missing, left over, of another size, or holds what is no
  ///   class, `GenerationError`, `DatasetError` or `ImagingError`.
  public func tally(
    _ predicted: PredictedMasks, folding: ((UInt16) -> UInt16)? = nil,
    watch: (Int) throws -> Void
  ) throws -> SegmentationTally {
    let names = truth.names
    try predicted.check(names, allowing: truth.passedOver, of: truth.path)
    var tally = SegmentationTally(classes: ids, boundaryShare: boundaryShare)
    let batch = Self.batchOfThread * Parallel.threadCount
    for start in stride(from: 0, to: names.count, by: batch) {
      try watch(start)
      let range = start..<min(start + batch, names.count)
      let pictures = try truth.pictures(range)
      let found = try predicted.masks(Array(names[range]))
      let parts = try Parallel.map(range.count) { place in
        let mask = try found[place].mask()
        return try self.tally(
          pictures[place], folding.map { mask.relabelled($0) } ?? mask, found[place].place)
      }
      for part in parts { tally.add(part) }
    }
    try watch(names.count)
    return tally
  }

  /// Measures what a segmenter makes of the pictures.
  ///
  /// - Parameters:
  ///   - predict: makes a picture's mask; pictures go through it one by one.
  ///   - folding: as ``tally(_:folding:watch:)``.
  ///   - keep: told each mask with the picture's name, before folding.
  ///   - watch: told how many are done; throwing ends the work.
  /// - Returns: what was counted.
  /// - Throws: what the closures throw, and for the truth as ``tally(_:folding:watch:)``.
  public func tally(
    predict: (PixelImage) throws -> LabelMask, folding: ((UInt16) -> UInt16)? = nil,
    keep: (String, LabelMask) throws -> Void, watch: (Int) throws -> Void
  ) throws -> SegmentationTally {
    var tally = SegmentationTally(classes: ids, boundaryShare: boundaryShare)
    let count = truth.names.count
    for position in 0..<count {
      try watch(position)
      let picture = try truth.pictures(position..<position + 1)[0]
      let found = try predict(picture.image())
      try keep(picture.name, found)
      let mask = folding.map { found.relabelled($0) } ?? found
      tally.add(try self.tally(picture, mask, picture.name))
    }
    try watch(count)
    return tally
  }

  private func tally(
    _ picture: LabelledPicture, _ prediction: LabelMask, _ place: String
  ) throws -> SegmentationTally {
    var mask = try picture.truth()
    try check(mask, picture.place)
    try check(prediction, place)
    guard (mask.width, mask.height) == (prediction.width, prediction.height) else {
      throw GenerationError(
        .malformed, place,
        "has \(prediction.width) x \(prediction.height) pixels, \(picture.place) has "
          + "\(mask.width) x \(mask.height); they are compared pixel by pixel")
    }
    if truth.background == .ignored {
      mask = mask.relabelled { $0 == LabelMask.background ? LabelMask.ignored : $0 }
    }
    var tally = SegmentationTally(classes: ids, boundaryShare: boundaryShare)
    tally.add(truth: mask, prediction: prediction)
    return tally
  }

  private func check(_ mask: LabelMask, _ place: String) throws {
    guard let stranger = mask.ids.first(where: { !known[Int($0)] }) else { return }
    throw GenerationError(
      .malformed, place,
      "holds the class \(stranger), which is none of the \(truth.classes.entries.count) classes; "
        + "name those that the masks were made with by --classes FILE")
  }
}

extension LabelMask {
  /// The mask with other ids in place of its own.
  func relabelled(_ id: (UInt16) -> UInt16) -> LabelMask {
    var mask = self
    mask.relabel { id(ids[$0]) }
    return mask
  }
}
