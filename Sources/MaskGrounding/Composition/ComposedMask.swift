public import Imaging
public import TensorCore

/// A mask made of entities' maps, and what is known of each.
public struct ComposedMask: Sendable {
  /// The entities' class ids; ``LabelMask/ignored`` where it is uncertain.
  public var mask: LabelMask
  /// Each entity's probability at the mask's size [n, H, W], 0...1; entities of one class have the same.
  public var probabilities: Tensor
  /// What is known of each entity, in their order; entities of one class have the same.
  public var scores: [EntityScore]

  /// Describes a mask.
  public init(mask: LabelMask, probabilities: Tensor, scores: [EntityScore]) {
    self.mask = mask
    self.probabilities = probabilities
    self.scores = scores
  }
}
