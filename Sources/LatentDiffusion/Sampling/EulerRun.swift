import TensorCore

/// A run of ``EulerScheduler``; no step depends on an earlier one.
struct EulerRun: SamplingRun {
  struct Step: Sendable {
    /// The noise level before the step.
    var sigma: Float
    /// The level the step goes down to.
    var next: Float
    /// Standard deviation of what is drawn anew.
    var deviation: Float
  }

  let modelTimesteps: [Float]
  let steps: [Step]
  let prediction: SchedulerConfiguration.Prediction
  let initialScale: Float
  let needsNoise: Bool

  var timesteps: [Int] { modelTimesteps.map { Int($0.rounded()) } }

  func modelInput(_ sample: Tensor, step: Int) -> Tensor {
    let sigma = steps[step].sigma
    let scale = (sigma * sigma + 1).squareRoot()
    return sample.mapped { $0 / scale }
  }

  func step(_ step: Int, prediction: Tensor, sample: Tensor, noise: Tensor?) -> Tensor {
    precondition(
      prediction.shape == sample.shape,
      "Euler: prediction \(prediction.shape) for sample \(sample.shape)")
    precondition((noise != nil) == needsNoise, "Euler: noise is needed in the ancestral form only")
    let factors = steps[step]
    let clean = cleanSample(factors.sigma, prediction: prediction, sample: sample)
    let slope = (sample - clean).mapped { $0 / factors.sigma }
    let next = combined(sample, 1, slope, factors.next - factors.sigma)
    guard let noise else { return next }
    return combined(next, 1, noise, factors.deviation)
  }

  private func cleanSample(_ sigma: Float, prediction: Tensor, sample: Tensor) -> Tensor {
    switch self.prediction {
    case .noise:
      return combined(sample, 1, prediction, -sigma)
    case .velocity:
      let variance = sigma * sigma + 1
      return combined(prediction, -sigma / variance.squareRoot(), sample, 1 / variance)
    case .sample:
      return prediction
    }
  }
}
