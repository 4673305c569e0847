public import DatasetFormat
import Generation
import Imaging

extension Scene {
  /// The scene's record: of a mask that is true, so every score is 1, and of a picture that no model made.
  ///
  /// - Parameters:
  ///   - index: the sample's number.
  ///   - rules: what decides whether it is accepted.
  /// - Returns: the record.
  public func record(index: Int, rules: FilterRules) -> SampleRecord {
    let regions = MaskStatistics(mask).regions
    let area = Double(mask.width * mask.height)
    let recorded = entities.map { entity in
      let region = regions[UInt16(entity.classID)] ?? MaskStatistics.Region()
      return SampleRecord.Entity(
        name: entity.name, classID: entity.classID, words: entity.words, isNamed: true,
        isPresent: true, presence: 1, area: Labels.rounded(Double(entity.pixels) / area),
        confidence: 1, edgeConfidence: 1, parts: region.parts, touchesBorder: region.touchesBorder)
    }
    let scores = SampleRecord.Scores(of: image)
    return SampleRecord(
      index: index, hasMask: true, prompt: prompt, seed: seed, width: image.width,
      height: image.height,
      reasons: rules.reasons(scores: scores, entities: recorded, acceptedHashes: []),
      entities: recorded, scores: scores, sources: sources)
  }
}
