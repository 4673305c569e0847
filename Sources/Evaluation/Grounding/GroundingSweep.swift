public import Generation
public import GroundingTraining
public import LatentDiffusion

/// What is varied, everything else being equal.
public enum GroundingSweep: String, Sendable, CaseIterable {
  /// The U-Net call that is read, with the same module.
  case step
  /// The share of classes that a module is trained on.
  case seenShare = "seen-share"
  /// How many objects training pictures show.
  case trainObjects = "train-objects"
  /// What training pictures are, and how they become latents.
  case data

  /// What a module learns from.
  public enum Pictures: Sendable {
    /// Composed scenes.
    case composed(LatentInverter.Method)
    /// Pictures of a run, made again from their seeds.
    case generated
  }

  /// A module to train and measure.
  public struct Variant: Sendable {
    /// The value of what is varied.
    public let label: String
    /// The classes that the module is trained on, and those it never sees.
    public let classes: TrainingClasses
    /// How many objects training pictures show.
    public let objects: ObjectCounts
    /// What they are.
    public let pictures: Pictures
  }

  /// The modules to train; none for a sweep over steps.
  ///
  /// - Parameters:
  ///   - classes: the classes, and which of them are seen where that is not varied.
  ///   - objects: how many objects training pictures show where that is not varied.
  ///   - hasRun: whether there is a run to learn from.
  /// - Returns: the modules, in the order of their values.
  /// - Throws: `GenerationError` where a share leaves nothing to learn.
  public func variants(
    _ classes: TrainingClasses, objects: ObjectCounts, hasRun: Bool
  ) throws -> [Variant] {
    switch self {
    case .step: return []
    case .seenShare:
      return try [0.25, 0.5, 0.75, 0.9].map { share in
        Variant(
          label: "\(share)", classes: try classes.dividing(seenShare: share), objects: objects,
          pictures: .composed(.noise))
      }
    case .trainObjects:
      return try ["1", "2", "1-2"].map { text in
        Variant(
          label: text, classes: classes, objects: try ObjectCounts(parsing: text),
          pictures: .composed(.noise))
      }
    case .data:
      var kinds: [(String, Pictures)] = [
        ("noised", .composed(.noise)), ("inverted", .composed(.ddim)),
      ]
      if hasRun { kinds.append(("generated", .generated)) }
      return kinds.map { label, pictures in
        Variant(label: label, classes: classes, objects: objects, pictures: pictures)
      }
    }
  }
}
