import TensorCore

/// What a grounding module keeps of a U-Net's maps: at each level the sum of their projections, a few channels wide.
///
/// Made by ``GroundingModule/emptyFeatures``, filled map by map with ``GroundingModule/add(_:block:to:)``.
public struct ProjectedFeatures: Sendable {
  /// The sums of each level [N, h, w, W], the latents' own size first; nil where no map was added.
  var sums: [Tensor?]
  /// How many maps were added at each level.
  var counts: [Int]

  init(levels: Int) {
    sums = Array(repeating: nil, count: levels)
    counts = Array(repeating: 0, count: levels)
  }

  /// Those of one sample.
  ///
  /// - Precondition: the sample is there.
  public func sample(_ index: Int) -> ProjectedFeatures {
    var features = self
    features.sums = sums.map { $0?.rows(index..<index + 1) }
    return features
  }

  /// A copy with every sum times a number: the mean of features that were added.
  func scaled(by factor: Float) -> ProjectedFeatures {
    guard factor != 1 else { return self }
    var features = self
    features.sums = sums.map { sum in sum.map { factor * $0 } }
    return features
  }
}
