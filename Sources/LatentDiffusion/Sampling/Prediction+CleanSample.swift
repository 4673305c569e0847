import TensorCore

extension SchedulerConfiguration.Prediction {
  /// The sample without its noise, from what the model said of it.
  ///
  /// - Parameters:
  ///   - prediction: what the model said.
  ///   - sample: the noisy sample, `signal` · clean + `noise` · noise, of the same shape.
  ///   - signal: √ᾱ.
  ///   - noise: √(1 − ᾱ).
  /// - Returns: the clean sample.
  func cleanSample(
    _ prediction: Tensor, of sample: Tensor, signal: Float, noise: Float
  ) -> Tensor {
    switch self {
    case .noise: combined(sample, 1, prediction, -noise).mapped { $0 / signal }
    case .velocity: combined(sample, signal, prediction, -noise)
    case .sample: prediction
    }
  }
}
