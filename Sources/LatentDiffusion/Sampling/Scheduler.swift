public import TensorCore

/// A way from noise to a sample: which timesteps to ask the model about and what to do with its answers.
public protocol Scheduler: Sendable {
  /// How much signal is left at each training step.
  var schedule: NoiseSchedule { get }

  /// Plans a run.
  ///
  /// - Parameters:
  ///   - stepCount: number of model calls.
  ///   - eta: how stochastic the run is, 0 (not at all) to 1.
  /// - Returns: a run at its first step.
  /// - Throws: ``DiffusionError`` where the settings do not go with the configuration.
  func start(stepCount: Int, eta: Float) throws -> any SamplingRun
}

/// The state of one run of a scheduler.
public protocol SamplingRun: Sendable {
  /// The training timestep of every step, in the order of the run.
  var timesteps: [Int] { get }
  /// What initial noise of variance 1 is multiplied with.
  var initialScale: Float { get }
  /// Whether ``step(_:prediction:sample:noise:)`` asks for noise.
  var needsNoise: Bool { get }

  /// The model's input at a step, from the sample.
  func modelInput(_ sample: Tensor, step: Int) -> Tensor

  /// Goes one step on.
  ///
  /// - Parameters:
  ///   - step: index into ``timesteps``; steps are taken in order.
  ///   - prediction: what the model said.
  ///   - sample: the sample before the step.
  ///   - noise: noise of variance 1 in the shape of the sample, where ``needsNoise``.
  /// - Returns: the sample after the step.
  mutating func step(_ step: Int, prediction: Tensor, sample: Tensor, noise: Tensor?) -> Tensor
}
