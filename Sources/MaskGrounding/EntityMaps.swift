public import TensorCore

/// Where a source sees each of some entities.
public struct EntityMaps: Sendable {
  /// Probabilities in 0...1 at the source's own resolution [n, h, w], one map an entity.
  public var probabilities: Tensor
  /// How sure it is that each entity is in the picture, 0...1.
  public var presence: [Float]

  /// Describes maps.
  ///
  /// - Precondition: one presence a map.
  public init(probabilities: Tensor, presence: [Float]) {
    precondition(
      probabilities.rank == 3 && probabilities.shape[0] == presence.count,
      "maps \(probabilities.shape), \(presence.count) presences")
    self.probabilities = probabilities
    self.presence = presence
  }
}
