/// How attention becomes maps.
public struct AttentionSettings: Sendable, Equatable {
  /// The steps whose attention is averaged.
  public enum Steps: Sendable, Equatable {
    /// Every step.
    case all
    /// The steps from a share of the run to another: 0 is before the first, 1 behind the last.
    case share(from: Double, to: Double)
    /// Steps by number, from 0.
    case listed([Int])
  }

  /// How an entity's map is scaled to 0...1.
  public enum Normalisation: String, Sendable, CaseIterable {
    /// Its smallest value becomes 0, its largest 1.
    case range
    /// Its largest value becomes 1.
    case peak
  }

  /// How maps are drawn out over what looks alike to the U-Net: by its self-attention.
  public struct Refinement: Sendable, Equatable {
    /// How often the map is multiplied by the self-attention, 1 to 16.
    public var power: Int
    /// The level whose self-attention is used; nil for the finest of at most 32 × 32 tokens.
    public var level: Int?

    /// Describes a refinement.
    public init(power: Int = 4, level: Int? = nil) {
      self.power = power
      self.level = level
    }
  }

  /// The levels whose attention to the text is averaged, 0 being the size of the latents; nil for all.
  public var levels: Set<Int>?
  /// The steps whose attention is averaged.
  public var steps: Steps
  /// How maps are refined; nil for not at all.
  public var refinement: Refinement?
  /// How maps are scaled.
  public var normalisation: Normalisation
  /// The scaled value, in (0, 1), from which on a pixel is the entity's.
  ///
  /// It becomes the probability 0.5, so that all sources are cut at the same one.
  public var threshold: Float

  /// Describes maps.
  public init(
    levels: Set<Int>? = nil, steps: Steps = .all, refinement: Refinement? = Refinement(),
    normalisation: Normalisation = .range, threshold: Float = 0.5
  ) {
    self.levels = levels
    self.steps = steps
    self.refinement = refinement
    self.normalisation = normalisation
    self.threshold = threshold
  }
}
