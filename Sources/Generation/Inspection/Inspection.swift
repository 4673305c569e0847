public import Imaging
public import MaskGrounding

/// What was found in a picture.
public struct Inspection: Sendable {
  /// What is seen at one step of the sampler alone.
  public struct Step: Sendable {
    /// The call of the U-Net, from 0, the noisiest.
    public let step: Int
    /// Its training timestep.
    public let timestep: Int
    /// What is known of each entity.
    public let scores: [EntityScore]
    /// Each entity's map in colours, small; empty for steps that are not drawn.
    public let maps: [PixelImage]
  }

  /// The picture, made or given, in the model's size.
  public let image: PixelImage
  /// What was looked for.
  public let entities: [Entity]
  /// Where it is.
  public let composed: ComposedMask
  /// What is seen at each step; empty where that was not asked for.
  public let steps: [Step]
  /// What to tell people, a line each.
  public let notices: [String]
}
