import Foundation
public import TensorCore

/// How much signal is left at each training step.
///
/// Everything is single precision and rounded where PyTorch rounds, so that coefficients agree with the
/// reference to the last bit or nearly; only running products are carried in double precision, as there.
///
/// - Source: diffusers `DDIMScheduler.__init__`, `rescale_zero_terminal_snr`, `betas_for_alpha_bar`.
public struct NoiseSchedule: Sendable, Equatable {
  /// Variance of the noise added at each training step, as the configuration implies it.
  public let betas: [Float]
  /// ᾱ: the running product of 1 − beta, the share of signal left in the variance.
  public let alphaBars: [Float]

  /// Computes the schedule of a configuration.
  public init(_ configuration: SchedulerConfiguration) {
    let count = configuration.trainingSteps
    var betas: [Float]
    if let trained = configuration.trainedBetas {
      betas = trained.map(Float.init)
    } else {
      let (start, end) = (configuration.betaStart, configuration.betaEnd)
      switch configuration.betaSchedule {
      case .linear:
        betas = Self.evenly(from: start, to: end, count: count)
      case .scaledLinear:
        betas = Self.evenly(from: start.squareRoot(), to: end.squareRoot(), count: count)
          .map { $0 * $0 }
      case .squaredCosine:
        betas = Self.squaredCosine(count: count)
      }
    }
    if configuration.rescalesToZeroSNR { betas = Self.rescaledToZeroSNR(betas) }
    self.betas = betas
    alphaBars = Self.runningProduct(betas.map { 1 - $0 })
  }

  /// Adds noise as training does, each sample at its own timestep.
  ///
  /// - Shapes: `sample` and `noise` [N, …], N timesteps → [N, …].
  /// - Precondition: timesteps are training steps.
  public func noised(_ sample: Tensor, noise: Tensor, timesteps: [Int]) -> Tensor {
    mixed(sample, noise, timesteps) { signal, noise in (signal, noise) }
  }

  /// What a model of ``SchedulerConfiguration/Prediction/velocity`` is trained to say.
  ///
  /// - Shapes: `sample` and `noise` [N, …], N timesteps → [N, …].
  /// - Precondition: timesteps are training steps.
  public func velocity(_ sample: Tensor, noise: Tensor, timesteps: [Int]) -> Tensor {
    mixed(sample, noise, timesteps) { signal, noise in (-noise, signal) }
  }

  private func mixed(
    _ sample: Tensor, _ noise: Tensor, _ timesteps: [Int],
    _ factors: (_ signal: Float, _ noise: Float) -> (Float, Float)
  ) -> Tensor {
    precondition(
      sample.rank >= 1 && timesteps.count == sample.shape[0],
      "NoiseSchedule: \(timesteps.count) timesteps for \(sample.shape)")
    return joinedRows(
      timesteps.enumerated().map { index, timestep in
        let alphaBar = alphaBars[timestep]
        let (a, b) = factors(alphaBar.squareRoot(), (1 - alphaBar).squareRoot())
        return combined(sample.rows(index..<index + 1), a, noise.rows(index..<index + 1), b)
      })
  }

  /// As `torch.linspace`: from both ends towards the middle, each product and sum rounded once.
  static func evenly(from start: Double, to end: Double, count: Int) -> [Float] {
    guard count > 1 else { return [Float(start)] }
    let (start, end) = (Float(start), Float(end))
    let step = (end - start) / Float(count - 1)
    return (0..<count).map { index in
      index < count / 2
        ? start.addingProduct(step, Float(index))
        : end.addingProduct(-step, Float(count - index - 1))
    }
  }

  private static func squaredCosine(count: Int) -> [Float] {
    func alphaBar(_ t: Double) -> Double {
      let cosine = cos((t + 0.008) / 1.008 * Double.pi / 2)
      return cosine * cosine
    }
    return (0..<count).map { index in
      let (t1, t2) = (Double(index) / Double(count), Double(index + 1) / Double(count))
      return Float(min(1 - alphaBar(t2) / alphaBar(t1), 0.999))
    }
  }

  private static func rescaledToZeroSNR(_ betas: [Float]) -> [Float] {
    var roots = runningProduct(betas.map { 1 - $0 }).map { $0.squareRoot() }
    guard let first = roots.first, let last = roots.last, first > last else { return betas }
    let factor = first / (first - last)
    roots = roots.map { ($0 - last) * factor }
    let bars = roots.map { $0 * $0 }
    return bars.indices.map { 1 - (bars[$0] / ($0 == 0 ? 1 : bars[$0 - 1])) }
  }

  private static func runningProduct(_ factors: [Float]) -> [Float] {
    var product = 1.0
    return factors.map { factor in
      product *= Double(factor)
      return Float(product)
    }
  }
}
