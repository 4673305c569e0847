/// Batch normalisation by the statistics of the batch itself, as in training.
///
/// - Shapes: `x` [N, H, W, C], `scale` and `shift` [C] → [N, H, W, C]; `mean` and `variance` [C], untracked.
/// - Parameters:
///   - x: the feature map.
///   - scale: of the normalised values.
///   - shift: added to them.
///   - epsilon: added to the variance.
/// - Returns: the normalised map, the batch's mean, and its unbiased variance (divided by the count less one), which is
///   what running averages are made of.
/// - Gradient: as that of ``groupNorm(_:groups:scale:shift:epsilon:thenSiLU:)``, means over all pixels of a channel.
/// - Source: `torch.nn.functional.batch_norm` with `training` true.
public func batchNorm(
  _ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float
) -> (output: Tensor, mean: Tensor, variance: Tensor) {
  let (n, h, w, c) = x.dimensions4("batchNorm")
  precondition(
    scale.shape == [c] && shift.shape == [c] && n * h * w > 0,
    "batchNorm: \(x.shape), scale \(scale.shape), shift \(shift.shape)")
  let timing = OperationTiming(.groupNorm)
  defer { timing.end() }
  let sums = ChannelSums(x)
  let moments = (0..<c).map { sums.moments(samples: 0..<n, $0..<$0 + 1) }
  let mean = moments.map { Float($0.mean) }
  let inverse = moments.map { Float(1 / ($0.variance + Double(epsilon)).squareRoot()) }
  let repeated = { (values: [Float]) in
    Tensor((0..<n).flatMap { _ in values }, shape: [n, c])
  }
  let set = FeatureMoments(mean: repeated(mean), inverse: repeated(inverse))
  let count = Double(n * h * w)
  let unbiased = moments.map { Float($0.variance * count / max(count - 1, 1)) }
  let (input, factor) = (x.untracked(), scale.untracked())
  let output = normalised(x, set, scale: scale, shift: shift, then: .none)
    .recorded("batchNorm", from: [x, scale, shift]) { gradient in
      set.gradients(input, gradient, scale: factor, set: .init(samples: n, channels: 1))
    }
  return (output, Tensor(mean, shape: [c]), Tensor(unbiased, shape: [c]))
}
