public import MaskGrounding
public import TensorCore

/// What a grounding module is trained towards.
public struct GroundingTargets: Sendable {
  /// Where each entity is, from 0 to 1 [N, n, H, W].
  public let masks: Tensor
  /// Whether each entity is there, 0 or 1 [N, n]; not learnt where nil.
  public let presence: Tensor?
  /// What each entity counts [N, n], 0 for places without one; all 1 where nil.
  public let counts: Tensor?

  /// Names the targets.
  ///
  /// - Precondition: the shapes agree.
  public init(masks: Tensor, presence: Tensor? = nil, counts: Tensor? = nil) {
    let entities = Array(masks.shape.prefix(2))
    precondition(
      masks.rank == 4 && presence?.shape ?? entities == entities
        && counts?.shape ?? entities == entities,
      "grounding targets: masks \(masks.shape), presence \(presence?.shape ?? []), counts \(counts?.shape ?? [])"
    )
    (self.masks, self.presence, self.counts) = (masks, presence, counts)
  }
}

/// The loss of a grounding module: binary cross entropy and dice of the masks, and binary cross entropy of presence.
public struct GroundingLoss: Sendable {
  /// The share of the masks' binary cross entropy, the loss of the published module.
  public var crossEntropy: Float
  /// The share of their dice loss.
  public var dice: Float
  /// The share of presence.
  public var presence: Float
  /// What the empty mask of an entity that is not there counts beside that of one that is, where the module has
  /// another say in presence.
  ///
  /// Where it counts nothing, masks learn where a thing would be and presence alone whether it is: a mask that learns
  /// to deny what is absent denies words that it never learnt as well (docs/EVALUATION.md has the figures).
  public var absentMasks: Float

  /// Names the shares.
  public init(
    crossEntropy: Float = 1, dice: Float = 1, presence: Float = 1, absentMasks: Float = 1
  ) {
    (self.crossEntropy, self.dice, self.presence) = (crossEntropy, dice, presence)
    self.absentMasks = absentMasks
  }

  /// The loss, a scalar; masks are compared at the targets' size.
  ///
  /// - Precondition: result and targets are of the same samples and entities, of which there is one.
  public func callAsFunction(
    _ result: GroundingModule.Result, _ targets: GroundingTargets
  ) -> Tensor {
    let shape = targets.masks.shape
    let (planes, area) = (shape[0] * shape[1], shape[2] * shape[3])
    let logits = result.logits(height: shape[2], width: shape[3]).reshaped([planes, area])
    let masks = targets.masks.reshaped([planes, area])
    let counts = (result.presence == nil ? targets.counts : maskCounts(targets))?.reshaped([planes])
    // Every pixel of a mask counts what its entity counts.
    let weights = counts.map { counts in
      counts.withUnsafeBuffer { counts in
        Tensor(shape: [planes, area]) { out in
          for plane in 0..<planes {
            for pixel in 0..<area { out[plane * area + pixel] = counts[plane] }
          }
        }
      }
    }
    var loss =
      crossEntropy * binaryCrossEntropy(logits, targets: masks, weights: weights)
      + dice * diceLoss(logits, targets: masks, weights: counts)
    if let found = result.presence, let expected = targets.presence {
      let weights = targets.counts?.reshaped(found.shape)
      loss = loss + presence * binaryCrossEntropy(found, targets: expected, weights: weights)
    }
    return loss
  }

  /// What the mask of each entity counts [N, n]; nil where all count 1.
  private func maskCounts(_ targets: GroundingTargets) -> Tensor? {
    guard absentMasks != 1, let presence = targets.presence else { return targets.counts }
    let shares = presence.withUnsafeBuffer { $0.map { $0 < 0.5 ? absentMasks : 1 } }
    let shared = Tensor(shares, shape: presence.shape)
    return targets.counts.map { shared * $0 } ?? shared
  }
}
