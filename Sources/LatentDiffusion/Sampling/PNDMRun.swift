import TensorCore

/// A run of ``PNDMScheduler``; it remembers up to four predictions and the sample a step began with.
struct PNDMRun: SamplingRun {
  /// What a model call is for.
  enum Role: Sendable, Equatable {
    /// A step by as many predictions as there are, up to four.
    case multistep
    /// The first step once more, from where it began, by the average of both its ends.
    case correction
    /// One of the four calls of a Runge–Kutta step, from 0.
    case rungeKutta(Int)
  }

  struct Step: Sendable {
    var role: Role
    /// √ᾱ and √(1 − ᾱ) before the step.
    var signal: Float
    var noise: Float
    /// What is kept of the sample.
    var keep: Float
    /// What the prediction is multiplied with, then divided by.
    var change: Float
    var divisor: Float
  }

  let timesteps: [Int]
  let steps: [Step]
  let prediction: SchedulerConfiguration.Prediction
  private var history: [Tensor] = []
  private var start: Tensor?
  private var sum: Tensor?
  var needsNoise: Bool { false }
  var initialScale: Float { 1 }

  init(timesteps: [Int], steps: [Step], prediction: SchedulerConfiguration.Prediction) {
    self.timesteps = timesteps
    self.steps = steps
    self.prediction = prediction
  }

  func modelInput(_ sample: Tensor, step: Int) -> Tensor { sample }

  mutating func step(_ step: Int, prediction: Tensor, sample: Tensor, noise: Tensor?) -> Tensor {
    precondition(
      prediction.shape == sample.shape,
      "PNDM: prediction \(prediction.shape) for sample \(sample.shape)")
    precondition(noise == nil, "PNDM: no noise is drawn")
    let factors = steps[step]
    let (from, direction) = advance(factors.role, prediction, sample)
    let noise =
      self.prediction == .velocity
      ? combined(direction, factors.signal, from, factors.noise) : direction
    let part = noise.mapped { factors.change * $0 / factors.divisor }
    return combined(from, factors.keep, part, -1)
  }

  /// Where the sample goes from, and the blend of predictions it goes by.
  private mutating func advance(
    _ role: Role, _ prediction: Tensor, _ sample: Tensor
  ) -> (from: Tensor, direction: Tensor) {
    switch role {
    case .multistep:
      if history.isEmpty { start = sample }
      history = history.suffix(3) + [prediction]
      return (sample, blend())
    case .correction:
      guard let start, let last = history.last else {
        preconditionFailure("PNDM: the correction came first")
      }
      return (start, (prediction + last).mapped { $0 / 2 })
    case .rungeKutta(let call):
      return rungeKutta(call, prediction, sample)
    }
  }

  private func blend() -> Tensor {
    let newest = Array(history.reversed())
    switch newest.count {
    case 1: return newest[0]
    case 2: return combined(newest[0], 3, newest[1], -1).mapped { $0 / 2 }
    case 3:
      let two = combined(newest[0], 23, newest[1], -16)
      return combined(two, 1, newest[2], 5).mapped { $0 / 12 }
    default:
      let three = combined(combined(newest[0], 55, newest[1], -59), 1, newest[2], 37)
      return (1 / 24) * combined(three, 1, newest[3], -9)
    }
  }

  private mutating func rungeKutta(
    _ call: Int, _ prediction: Tensor, _ sample: Tensor
  ) -> (from: Tensor, direction: Tensor) {
    if call == 0 {
      history = history.suffix(3) + [prediction]
      start = sample
      sum = (1 / 6) * prediction
    }
    guard let start, let known = sum else { preconditionFailure("PNDM: call \(call) came first") }
    switch call {
    case 0: return (start, prediction)
    case 3: return (start, combined(known, 1, prediction, 1 / 6))
    default:
      sum = combined(known, 1, prediction, 1 / 3)
      return (start, prediction)
    }
  }
}
