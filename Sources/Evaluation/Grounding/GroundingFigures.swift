/// The figures of a row of the table.
public struct GroundingFigures: Sendable, Equatable {
  /// Pictures.
  public let pictures: Int
  /// Classes that were named.
  public let classes: Int
  /// Mean intersection over union, background left out, 0...1; nil where nothing counts, as all others.
  public let meanIoU: Double?
  /// The same on both sides of the split.
  public let split: SplitScore
  /// The same where the truth is taken through the module's resolution.
  public let ceiling: Double?
  /// That on both sides of the split.
  public let ceilingSplit: SplitScore
  /// Mean intersection over union of the bands along edges.
  public let boundaryIoU: Double?
  /// The mean over classes of the smaller one of the two.
  public let combinedIoU: Double?
  /// Whether it was said rightly what is there.
  public let presence: PresenceTally

  /// Figures of some classes, of all where nil.
  public init(_ scores: GroundingScores, of ids: Set<Int>?, sides: ClassSides) {
    let regions = scores.regions
    let named = regions.entries.keys.filter { ids?.contains($0) ?? true }
    func within(_ side: Set<Int>) -> Set<Int> { ids.map(side.intersection) ?? side }
    func split(_ tally: RegionTally) -> SplitScore {
      SplitScore(
        seen: tally.mean(of: within(sides.seen), RegionTally.intersectionOverUnion),
        unseen: tally.mean(of: within(sides.unseen), RegionTally.intersectionOverUnion))
    }
    pictures = scores.pictures(of: ids)
    classes = named.count
    meanIoU = regions.mean(of: ids, RegionTally.intersectionOverUnion)
    self.split = split(regions)
    ceiling = scores.ceiling.mean(of: ids, RegionTally.intersectionOverUnion)
    ceilingSplit = split(scores.ceiling)
    boundaryIoU = regions.mean(of: ids, RegionTally.boundaryIoU)
    combinedIoU = regions.mean(of: ids, RegionTally.combinedIoU)
    presence = scores.presence(of: ids)
  }
}

extension RegionTally {
  /// The smaller one of intersection over union of a class's regions and of their bands, 0...1.
  public func combinedIoU(_ id: Int) -> Double? {
    guard let region = intersectionOverUnion(id), let band = boundaryIoU(id) else { return nil }
    return min(region, band)
  }
}
