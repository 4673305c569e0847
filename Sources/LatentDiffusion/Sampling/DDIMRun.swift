import TensorCore

/// A run of ``DDIMScheduler``; no step depends on an earlier one.
struct DDIMRun: SamplingRun {
  struct Step: Sendable {
    /// √ᾱ and √(1 − ᾱ) before the step.
    var signal: Float
    var noise: Float
    /// The same after it; the noise without the part that is drawn anew.
    var nextSignal: Float
    var nextNoise: Float
    /// Standard deviation of what is drawn anew.
    var deviation: Float

    /// The step the other way; nothing is drawn anew.
    var inverted: Step {
      Step(
        signal: nextSignal, noise: nextNoise, nextSignal: signal, nextNoise: noise, deviation: 0)
    }
  }

  let timesteps: [Int]
  let steps: [Step]
  let prediction: SchedulerConfiguration.Prediction
  let clipRange: Float?
  let thresholding: SchedulerConfiguration.Thresholding?
  let needsNoise: Bool
  var initialScale: Float { 1 }

  func modelInput(_ sample: Tensor, step: Int) -> Tensor { sample }

  func step(_ step: Int, prediction: Tensor, sample: Tensor, noise: Tensor?) -> Tensor {
    precondition(
      prediction.shape == sample.shape,
      "DDIM: prediction \(prediction.shape) for sample \(sample.shape)")
    precondition(
      (noise != nil) == needsNoise, "DDIM: noise is needed where eta > 0, and only there")
    let factors = steps[step]
    var clean = self.prediction.cleanSample(
      prediction, of: sample, signal: factors.signal, noise: factors.noise)
    if let thresholding {
      clean = thresholding.applied(to: clean)
    } else if let clipRange {
      clean = clean.mapped { min(max($0, -clipRange), clipRange) }
    }
    let direction = predictedNoise(factors, prediction: prediction, sample: sample)
    let next = combined(clean, factors.nextSignal, direction, factors.nextNoise)
    guard let noise else { return next }
    return combined(next, 1, noise, factors.deviation)
  }

  private func predictedNoise(_ factors: Step, prediction: Tensor, sample: Tensor) -> Tensor {
    switch self.prediction {
    case .noise:
      prediction
    case .velocity:
      combined(prediction, factors.signal, sample, factors.noise)
    case .sample:
      combined(sample, 1, prediction, -factors.signal).mapped { $0 / factors.noise }
    }
  }
}
