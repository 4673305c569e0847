/// What is known of an entity in a composed mask.
///
/// Where it is absent, everything is 0 or false but ``presence``.
public struct EntityScore: Sendable, Equatable {
  /// Whether it is in the mask.
  public var isPresent: Bool
  /// How sure the source is that it is in the picture, 0...1.
  public var presence: Float
  /// Its share of the mask's pixels, 0...1.
  public var area: Float
  /// Its mean probability over its pixels, 0...1.
  public var confidence: Float
  /// The mean probability of being right over the pixels within 2 of its edge.
  ///
  /// That is its own probability on the inside and 1 minus it on the outside; 0 where it has no edge because it
  /// fills the picture.
  public var edgeConfidence: Float
  /// Its connected parts, pixels being neighbours by a side.
  public var partCount: Int
  /// Whether it touches the picture's border.
  public var touchesBorder: Bool
  /// The mean entropy of its probability, in bits, over its pixels and those within 2 outside of them: 0 for sure,
  /// 1 for a toss-up.
  public var entropy: Float

  /// Describes an entity.
  public init(
    isPresent: Bool, presence: Float, area: Float, confidence: Float, edgeConfidence: Float,
    partCount: Int, touchesBorder: Bool, entropy: Float
  ) {
    self.isPresent = isPresent
    self.presence = presence
    self.area = area
    self.confidence = confidence
    self.edgeConfidence = edgeConfidence
    self.partCount = partCount
    self.touchesBorder = touchesBorder
    self.entropy = entropy
  }

  /// An entity that is not in the mask.
  public static func absent(presence: Float) -> EntityScore {
    EntityScore(
      isPresent: false, presence: presence, area: 0, confidence: 0, edgeConfidence: 0, partCount: 0,
      touchesBorder: false, entropy: 0)
  }
}
