public import Imaging

/// Regions and their bands along edges, summed by class over the pictures that are to show them.
///
/// In a picture only some classes and the background compete: truth of another class is background there. Both sums of a
/// class run over the pictures that it competes in, so what is drawn of a thing that is not there counts against it, and
/// what is missed of it too. Pixels whose truth is ignored count for nothing.
///
/// - Source: the grounding protocol of Li et al., "Open-vocabulary Object Segmentation with Diffusion Models" (2023).
public struct RegionTally: Sendable, Equatable {
  /// What is known of one class.
  public struct Entry: Sendable, Equatable {
    /// Pictures that it competed in.
    public var pictures = 0
    /// Its regions.
    public var region: ClassOverlap
    /// The bands along their edges.
    public var band: ClassOverlap
  }

  /// What is known of each class, by id.
  public private(set) var entries: [Int: Entry] = [:]

  /// An empty tally.
  public init() {}

  /// Adds a picture.
  ///
  /// - Parameters:
  ///   - truth: where things are.
  ///   - prediction: where they were found.
  ///   - classes: the ids of those that compete, each once.
  /// - Precondition: the masks have one size.
  public mutating func add(truth: LabelMask, prediction: LabelMask, classes: [Int]) {
    precondition(
      truth.width == prediction.width && truth.height == prediction.height,
      "masks of \(truth.width) x \(truth.height) and \(prediction.width) x \(prediction.height)")
    let pair = MaskPair(
      truth: truth, prediction: prediction, boundaryShare: BoundaryBand.usualShare)
    for id in classes {
      var entry =
        entries[id] ?? Entry(region: ClassOverlap(id: id), band: ClassOverlap(id: id))
      entry.pictures += 1
      entry.region.add(pair.regions[id])
      entry.band.add(pair.bands[id])
      entries[id] = entry
    }
  }

  /// Adds what another tally counted.
  public mutating func add(_ other: RegionTally) {
    for (id, entry) in other.entries {
      guard var own = entries[id] else {
        entries[id] = entry
        continue
      }
      own.pictures += entry.pictures
      own.region.add(entry.region)
      own.band.add(entry.band)
      entries[id] = own
    }
  }

  /// Intersection over union of a class, 0...1; nil where it is neither in truth nor found.
  public func intersectionOverUnion(_ id: Int) -> Double? {
    entries[id]?.region.intersectionOverUnion
  }

  /// The same of the bands along edges.
  public func boundaryIoU(_ id: Int) -> Double? { entries[id]?.band.intersectionOverUnion }

  /// The mean over some classes of what is known of them, all where nil; nil where none has it.
  public func mean(
    of ids: Set<Int>? = nil, _ score: (RegionTally) -> (Int) -> Double?
  ) -> Double? {
    let chosen = entries.keys.sorted().filter { ids?.contains($0) ?? true }
    return Mean.of(chosen.compactMap(score(self)))
  }
}
