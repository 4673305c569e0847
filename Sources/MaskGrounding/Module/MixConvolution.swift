import Checkpoints
import NeuralLayers
import TensorCore

/// Mixes the channels of several levels: norm, ReLU, 3×3 convolution, twice, added to the first ReLU's output.
///
/// - Shapes: `x` [N, H, W, C] → [N, H, W, C].
/// - Weights, as published: `conv1`, `conv2` with `u0`, `stored_mean1`, `stored_var1`, `stored_mean2`, `stored_var2`;
///   ours: `norm1`, `conv1`, `norm2`, `conv2`.
/// - Source: `SegBlock` in Lipurple/Grounded-Diffusion, whose ReLU works in place: the skip carries its output.
struct MixConvolution: Sendable {
  private let norms: [FeatureNorm]
  private let convolutions: [(weight: PackedWeights, bias: Tensor)]

  init(
    _ weights: WeightScope, channels: Int, _ configuration: GroundingConfiguration,
    isPublished: Bool
  ) throws {
    norms = try (1...2).map { number in
      try FeatureNorm(
        isPublished ? weights : weights / "norm\(number)",
        names: isPublished
          ? .init(mean: "stored_mean\(number)", variance: "stored_var\(number)")
          : .init(mean: "running_mean", variance: "running_var"),
        channels: channels, isAffine: configuration.hasAffineNorms, epsilon: configuration.epsilon)
    }
    convolutions = try (1...2).map { number in
      let part = weights / "conv\(number)"
      let bias = try part.tensor("bias", [channels])
      let shape = [channels, channels, 3, 3]
      guard configuration.hasSpectralNorm else {
        return (try PackedWeights(convolution: part, shape: shape), bias)
      }
      // What is divided by a norm is no longer what the file holds.
      let weight = try SpectralNorm.normalised(part.tensor("weight", shape), part)
      return (PackedWeights(convolution: weight), bias)
    }
  }

  func callAsFunction(_ x: Tensor, _ statistics: GroundingConfiguration.Statistics) -> Tensor {
    let skip = relu(norms[0](x, statistics))
    let inner = convolve(skip, 0)
    return convolve(relu(norms[1](inner, statistics)), 1, adding: skip)
  }

  private func convolve(_ x: Tensor, _ index: Int, adding residual: Tensor? = nil) -> Tensor {
    let (weight, bias) = convolutions[index]
    return convolution(x, weight, bias: bias, padding: Padding(1), adding: residual)
  }
}
