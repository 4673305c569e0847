public import DatasetFormat
public import MaskGrounding

/// The masks of a picture, and what was measured of them.
public struct Labels: Sendable {
  /// What was looked for.
  public var entities: [Entity]
  /// The masks and their scores.
  public var composed: ComposedMask
  /// For each entity the intersection over union with its mask in the mirrored picture; nil where that was not made.
  public var agreement: [Double?]

  /// The entities as records have them.
  public var recorded: [SampleRecord.Entity] {
    entities.indices.map { position in
      let (entity, score) = (entities[position], composed.scores[position])
      return SampleRecord.Entity(
        name: entity.name, classID: entity.classID, words: entity.words, isNamed: entity.isNamed,
        isPresent: score.isPresent, presence: Self.rounded(score.presence),
        area: Self.rounded(score.area), confidence: Self.rounded(score.confidence),
        edgeConfidence: Self.rounded(score.edgeConfidence), parts: score.partCount,
        touchesBorder: score.touchesBorder, agreement: agreement[position].map(Self.rounded))
    }
  }

  /// Six places: what a record's reader can use, and no digits of rounding.
  package static func rounded(_ value: some BinaryFloatingPoint) -> Double {
    (Double(value) * 1e6).rounded() / 1e6
  }
}
