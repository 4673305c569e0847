import Foundation
import TensorCore

/// Denoising diffusion implicit models.
///
/// - Source: Song, Meng and Ermon, "Denoising diffusion implicit models" (2021), equations 12 and 16; diffusers
///   `DDIMScheduler`.
public struct DDIMScheduler: Scheduler {
  /// The settings.
  public let configuration: SchedulerConfiguration
  /// How much signal is left at each training step.
  public let schedule: NoiseSchedule

  /// Computes the schedule of a configuration.
  ///
  /// - Throws: ``DiffusionError`` where the configuration leaves no signal to sample from.
  public init(_ configuration: SchedulerConfiguration) throws {
    self.configuration = configuration
    schedule = NoiseSchedule(configuration)
    guard schedule.alphaBars.allSatisfy({ $0.isFinite && $0 >= 0 && $0 <= 1 }) else {
      throw DiffusionError(
        .malformed, configuration.file, key: "beta_schedule",
        "the betas leave the range of a noise schedule")
    }
  }

  /// Plans a run.
  ///
  /// - Throws: ``DiffusionError`` where the settings do not go with the configuration.
  public func start(stepCount: Int, eta: Float = 0) throws -> any SamplingRun {
    guard eta >= 0, eta <= 1 else {
      throw DiffusionError(.invalidSetting, "eta", "found \(eta), expected 0...1")
    }
    let timesteps = try timesteps(stepCount: stepCount)
    let stride = configuration.trainingSteps / stepCount
    let steps = timesteps.map { coefficients(timestep: $0, previous: $0 - stride, eta: eta) }
    return DDIMRun(
      timesteps: timesteps, steps: steps, prediction: configuration.prediction,
      clipRange: configuration.clipRange, thresholding: configuration.thresholding,
      needsNoise: eta > 0)
  }

  /// The training timesteps of a run, from the noisiest.
  ///
  /// - Throws: ``DiffusionError`` where there are not as many training steps, or an offset leads past them.
  public func timesteps(stepCount: Int) throws -> [Int] {
    let total = configuration.trainingSteps
    guard stepCount >= 1, stepCount <= total else {
      throw DiffusionError(
        .invalidSetting, "steps", "found \(stepCount), expected 1...\(total)")
    }
    let timesteps: [Int]
    switch configuration.spacing {
    case .leading:
      let stride = total / stepCount
      timesteps = (0..<stepCount).reversed().map { $0 * stride + configuration.stepsOffset }
    case .trailing:
      // For some counts the reference's list grows by one step to timestep −1 through rounding; ours does not.
      let stride = Double(total) / Double(stepCount)
      let difference = (Double(total) - stride) - Double(total)
      timesteps = (0..<stepCount).map { index in
        Int((Double(total) + Double(index) * difference).rounded(.toNearestOrEven)) - 1
      }
    case .linspace:
      let stride = stepCount > 1 ? Double(total - 1) / Double(stepCount - 1) : 0
      timesteps = (0..<stepCount).reversed().map { index in
        index > 0 && index == stepCount - 1
          ? total - 1 : Int((Double(index) * stride).rounded(.toNearestOrEven))
      }
    }
    if let first = timesteps.first, first >= total {
      throw DiffusionError(
        .invalidSetting, "steps",
        "\(stepCount) steps with steps_offset \(configuration.stepsOffset) lead to timestep "
          + "\(first), past the last training step \(total - 1); use fewer steps")
    }
    return timesteps
  }

  /// The factors of one step, in single precision as the reference has them.
  private func coefficients(timestep: Int, previous: Int, eta: Float) -> DDIMRun.Step {
    let alphaBar = schedule.alphaBars[timestep]
    let final: Float = configuration.endsAtOne ? 1 : schedule.alphaBars[0]
    let next = previous >= 0 ? schedule.alphaBars[previous] : final
    let variance = ((1 - next) / (1 - alphaBar)) * (1 - alphaBar / next)
    let deviation = eta * max(variance, 0).squareRoot()
    return DDIMRun.Step(
      signal: alphaBar.squareRoot(), noise: (1 - alphaBar).squareRoot(),
      nextSignal: next.squareRoot(),
      nextNoise: max(1 - next - deviation * deviation, 0).squareRoot(),
      deviation: deviation)
  }
}

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
    precondition((noise != nil) == needsNoise, "DDIM: noise is needed where eta > 0, and only there")
    let factors = steps[step]
    var clean = cleanSample(factors, prediction: prediction, sample: sample)
    if let thresholding {
      clean = thresholded(clean, thresholding)
    } else if let clipRange {
      clean = clean.mapped { min(max($0, -clipRange), clipRange) }
    }
    let direction = predictedNoise(factors, prediction: prediction, sample: sample)
    let next = combined(clean, factors.nextSignal, direction, factors.nextNoise)
    guard let noise else { return next }
    return combined(next, 1, noise, factors.deviation)
  }

  private func cleanSample(_ factors: Step, prediction: Tensor, sample: Tensor) -> Tensor {
    switch self.prediction {
    case .noise:
      combined(sample, 1, prediction, -factors.noise).mapped { $0 / factors.signal }
    case .velocity:
      combined(sample, factors.signal, prediction, -factors.noise)
    case .sample:
      prediction
    }
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

  /// Clips each sample at a quantile of its magnitudes and divides by it.
  private func thresholded(
    _ clean: Tensor, _ thresholding: SchedulerConfiguration.Thresholding
  ) -> Tensor {
    joinedRows(
      (0..<clean.shape[0]).map { index in
        let own = clean.rows(index..<index + 1)
        let magnitudes = own.values.map(abs).sorted()
        let place = thresholding.ratio * Float(magnitudes.count - 1)
        let below = min(max(Int(place.rounded(.down)), 0), magnitudes.count - 1)
        let above = min(below + 1, magnitudes.count - 1)
        let weight = place - Float(below)
        let quantile = magnitudes[below] + weight * (magnitudes[above] - magnitudes[below])
        let limit = min(max(quantile, 1), thresholding.maximum)
        return own.mapped { min(max($0, -limit), limit) / limit }
      })
  }
}
