import Checkpoints
import NeuralLayers
import TensorCore

/// Two convolutions of a map, added to it.
///
/// - Weights: `conv1`, `bn1`, `conv2`, `bn2`.
/// - Source: lang-seg `ResidualConvUnit_custom`.
private struct ResidualUnit: Sendable {
  private let first: Conv2D
  private let second: Conv2D

  init(_ weights: WeightScope, features: Int) throws {
    func convolution(_ index: Int) throws -> Conv2D {
      try Conv2D(
        weights / "conv\(index)", norm: weights / "bn\(index)", inputs: features,
        outputs: features, kernel: 3)
    }
    (first, second) = try (convolution(1), convolution(2))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { second(relu(first(relu(x))), adding: x) }
}

/// Adds a level's map to the coarser ones' and doubles the sum.
///
/// - Shapes: [N, h, w, F] and a skip of the same shape → [N, h, w, F] with ``resized``: [N, 2h, 2w, F].
/// - Weights: `resConfUnit1` (of the skip; dead where there is none), `resConfUnit2`, `out_conv` 1×1.
/// - Source: "Vision Transformers for Dense Prediction" (2021), fusion; lang-seg `FeatureFusionBlock_custom`.
struct FusionBlock: Sendable {
  private let skipUnit: ResidualUnit?
  private let unit: ResidualUnit
  private let output: Linear

  init(_ weights: WeightScope, features: Int, hasSkip: Bool) throws {
    skipUnit = hasSkip ? try ResidualUnit(weights / "resConfUnit1", features: features) : nil
    unit = try ResidualUnit(weights / "resConfUnit2", features: features)
    output = try Linear(weights / "out_conv", inputs: features, outputs: features)
  }

  /// The sum, at the size of the maps given.
  ///
  /// The reference doubles before the 1×1 convolution: the two change places freely, since a pixel's weights in resizing
  /// sum to one, and so there is a quarter to convolve.
  func callAsFunction(_ x: Tensor, skip: Tensor? = nil) -> Tensor {
    var sum = x
    if let skip, let skipUnit { sum = sum + skipUnit(skip) }
    return output(unit(sum))
  }

  /// A map at twice its size, corners aligned.
  static func doubled(_ x: Tensor) -> Tensor {
    let (_, h, w, _) = x.dimensions4("FusionBlock")
    return bilinearResized(x, height: 2 * h, width: 2 * w, alignsCorners: true)
  }
}
