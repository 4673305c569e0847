import TensorCore

/// A run of ``DPMSolverScheduler``; it remembers the last clean sample.
struct DPMSolverRun: SamplingRun {
  struct Step: Sendable {
    /// α and σ before the step, α² + σ² = 1.
    var alpha: Float
    var sigma: Float
    /// What is kept of the sample.
    var keep: Float
    /// The factor of the predicted clean sample.
    var clean: Float
    /// The factor of its change since the step before; 0 in steps of first order.
    var change: Float
    /// Standard deviation of what is drawn anew.
    var deviation: Float
  }

  let timesteps: [Int]
  let steps: [Step]
  let prediction: SchedulerConfiguration.Prediction
  let thresholding: SchedulerConfiguration.Thresholding?
  let needsNoise: Bool
  private var lastClean: Tensor?
  var initialScale: Float { 1 }

  init(
    timesteps: [Int], steps: [Step], prediction: SchedulerConfiguration.Prediction,
    thresholding: SchedulerConfiguration.Thresholding?, needsNoise: Bool
  ) {
    self.timesteps = timesteps
    self.steps = steps
    self.prediction = prediction
    self.thresholding = thresholding
    self.needsNoise = needsNoise
  }

  func modelInput(_ sample: Tensor, step: Int) -> Tensor { sample }

  mutating func step(_ step: Int, prediction: Tensor, sample: Tensor, noise: Tensor?) -> Tensor {
    precondition(
      prediction.shape == sample.shape,
      "DPM-Solver: prediction \(prediction.shape) for sample \(sample.shape)")
    precondition(
      (noise != nil) == needsNoise, "DPM-Solver: noise is needed in the stochastic form only")
    let factors = steps[step]
    var clean = self.prediction.cleanSample(
      prediction, of: sample, signal: factors.alpha, noise: factors.sigma)
    if let thresholding { clean = thresholding.applied(to: clean) }
    defer { lastClean = clean }
    var next = combined(sample, factors.keep, clean, factors.clean)
    if factors.change != 0 {
      guard let lastClean else { preconditionFailure("DPM-Solver: step \(step) came first") }
      next = combined(next, 1, clean - lastClean, factors.change)
    }
    guard let noise else { return next }
    return combined(next, 1, noise, factors.deviation)
  }
}
