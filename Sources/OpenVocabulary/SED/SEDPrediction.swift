public import TensorCore

/// What SED says of pictures.
public struct SEDPrediction: Sendable {
  /// Logits of each class on its own [N, H/4, W/4, T]; -∞ where a class was rejected.
  public let logits: Tensor
  /// Whether each class entered each of the three stages [3][T].
  public let survivors: [[Bool]]
  /// Logits of the auxiliary heads [N, H/32, W/32, T], [N, H/16, W/16, T], [N, H/8, W/8, T], where they were wanted; -∞ where a
  /// class was rejected before.
  public let auxiliaryLogits: [Tensor]

  /// The probability of each class on its own [N, H/4, W/4, T]; 0 where a class was rejected.
  ///
  /// The published code brings these, not the logits, to the picture's size.
  public func probabilities() -> Tensor { sigmoid(logits) }

  /// How many classes entered each of the three stages.
  public var evaluatedClasses: [Int] { survivors.map { stage in stage.count { $0 } } }
}
