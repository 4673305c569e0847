import Checkpoints
import NeuralLayers
import TensorCore

/// Batch normalisation of a feature map, by running statistics, by those of each picture alone, or, in training, by those
/// of the batch.
///
/// - Shapes: `x` [N, H, W, C] → [N, H, W, C].
/// - Weights: mean and variance [C] under the names given; `weight` and `bias` [C] where it is affine.
/// - Source: `torch.nn.functional.batch_norm` with a batch of one picture.
struct FeatureNorm: Sendable {
  private let mean: Tensor
  private let variance: Tensor
  private let scale: Tensor
  private let shift: Tensor
  private let runningScale: Tensor
  private let epsilon: Float
  private let meanKey: String
  private let varianceKey: String

  /// Names of the statistics, which are stored even where they are not used.
  struct Names {
    var mean: String
    var variance: String
  }

  init(
    _ weights: WeightScope, names: Names, channels: Int, isAffine: Bool, epsilon: Float
  ) throws {
    mean = try weights.tensor(names.mean, [channels])
    variance = try weights.tensor(names.variance, [channels])
    if let index = variance.values.firstIndex(where: { $0 < 0 }) {
      throw CheckpointError(
        .malformed, file: weights.file, key: "\(weights.path).\(names.variance)",
        "element \(index) is \(variance.values[index]), expected variances from 0")
    }
    scale =
      isAffine
      ? try weights.tensor("weight", [channels]) : Tensor(repeating: 1, shape: [channels])
    shift = isAffine ? try weights.tensor("bias", [channels]) : Tensor.zeros([channels])
    weights.ignore("num_batches_tracked")
    let (variances, scales) = (variance.values, scale.values)
    let deviations = variances.map { (Double($0) + Double(epsilon)).squareRoot() }
    runningScale = Tensor(
      (0..<channels).map { Float(Double(scales[$0]) / deviations[$0]) }, shape: [channels]
    ).recorded("running scale", from: [scale]) { gradient in
      [gradient * Tensor(deviations.map { Float(1 / $0) }, shape: [channels])]
    }
    self.epsilon = epsilon
    meanKey = weights.key(names.mean)
    varianceKey = weights.key(names.variance)
  }

  func callAsFunction(
    _ x: Tensor, _ statistics: GroundingConfiguration.Statistics, _ training: TrainingPass?
  ) -> Tensor {
    switch statistics {
    case .running:
      guard let training else {
        return channelAffine(x, mean: mean, scale: runningScale, shift: shift)
      }
      let batch = batchNorm(x, scale: scale, shift: shift, epsilon: epsilon)
      training.move(meanKey, from: mean, to: batch.mean)
      training.move(varianceKey, from: variance, to: batch.variance)
      return batch.output
    // One channel a group: the statistics of that channel of that picture.
    case .image:
      return groupNorm(x, groups: x.lastDimension, scale: scale, shift: shift, epsilon: epsilon)
    }
  }
}
