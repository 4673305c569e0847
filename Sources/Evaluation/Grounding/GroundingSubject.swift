public import Imaging
public import MaskGrounding

/// A picture with what is known to be in it.
public struct GroundingSubject: Sendable {
  /// Where the things of a picture come from.
  public enum Kind: String, Sendable, CaseIterable {
    /// Cut-outs and places that no training reads.
    case heldOut = "held_out"
    /// Known cut-outs in places that no training reads.
    case newScenes = "new_scenes"
    /// The model made it.
    case generated
  }

  /// A prompt that names a thing which is not in the picture.
  public struct FalseMention: Sendable {
    /// The prompt.
    public var prompt: String
    /// What it names and the picture shows.
    public var shown: [Entity]
    /// What it names and the picture does not show.
    public var absent: Entity

    /// Describes a prompt.
    public init(prompt: String, shown: [Entity], absent: Entity) {
      (self.prompt, self.shown, self.absent) = (prompt, shown, absent)
    }
  }

  /// Where its things come from.
  public var kind: Kind
  /// What the prompt says.
  public var prompt: String
  /// What the prompt names: what competes for the pixels.
  public var entities: [Entity]
  /// Where things are; what is not named counts as background.
  public var truth: LabelMask
  /// A thing that is neither in the picture nor in the prompt.
  public var unnamed: Entity?
  /// The same picture under a prompt that says too much.
  public var falseMention: FalseMention?

  /// Describes a picture.
  public init(
    kind: Kind, prompt: String, entities: [Entity], truth: LabelMask, unnamed: Entity? = nil,
    falseMention: FalseMention? = nil
  ) {
    (self.kind, self.prompt, self.entities, self.truth) = (kind, prompt, entities, truth)
    (self.unnamed, self.falseMention) = (unnamed, falseMention)
  }
}
