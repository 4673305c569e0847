public import Generation

/// What scenes are like.
public struct SceneSettings: Sendable, Equatable {
  /// The sides that a scene may have, in pixels.
  public static let sides = 32...2048
  /// How many scenes of a hundred show one of their classes twice, where nobody says.
  public static let usualDoubles = 10

  /// How many classes a scene shows.
  public var objects: ObjectCounts
  /// Width and height in pixels.
  public var side: Int
  /// How many scenes of a hundred show one of their classes twice, 0 to 100.
  public var doubles: Int
  /// The side of the split that classes are taken from; nil for all.
  public var only: VocabularyClass.Split?

  /// Describes scenes.
  ///
  /// - Precondition: `side` lies in ``sides``, `doubles` in 0...100.
  public init(
    objects: ObjectCounts, side: Int, doubles: Int = SceneSettings.usualDoubles,
    only: VocabularyClass.Split? = nil
  ) {
    precondition(Self.sides ~= side && 0...100 ~= doubles, "side \(side), doubles \(doubles)")
    self.objects = objects
    self.side = side
    self.doubles = doubles
    self.only = only
  }
}
