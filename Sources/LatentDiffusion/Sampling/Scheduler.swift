public import TensorCore

/// A way from noise to a sample: which timesteps to ask the model about and what to do with its answers.
public protocol Scheduler: Sendable {
  /// How much signal is left at each training step.
  var schedule: NoiseSchedule { get }

  /// Plans a run.
  ///
  /// - Parameters:
  ///   - stepCount: number of steps; some schedulers call the model more often.
  ///   - eta: how stochastic the run is, 0 (not at all) to 1; only DDIM takes another than 0.
  /// - Returns: a run at its first step.
  /// - Throws: ``DiffusionError`` where the settings do not go with the configuration.
  func start(stepCount: Int, eta: Float) throws -> any SamplingRun
}

/// The state of one run of a scheduler.
public protocol SamplingRun: Sendable {
  /// The training timestep of every model call, in the order of the run; rounded where it lies between two.
  var timesteps: [Int] { get }
  /// The same as the model is given it, between training steps too.
  var modelTimesteps: [Float] { get }
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

extension SamplingRun {
  /// The whole timesteps.
  public var modelTimesteps: [Float] { timesteps.map(Float.init) }
}

extension SchedulerConfiguration {
  /// Refuses a model that predicts clean samples, where the reference cannot step with it.
  func refuseSamplePrediction(_ kind: Kind) throws {
    guard prediction == .sample else { return }
    throw DiffusionError(
      .unsupported, file, key: "prediction_type",
      "found \"sample\", supported by \(kind.rawValue): epsilon, v_prediction; choose another with --scheduler"
    )
  }
}

extension SchedulerConfiguration.Kind {
  /// Refuses a share of fresh noise, which only DDIM has.
  func refuseEta(_ eta: Float) throws {
    guard eta != 0 else { return }
    throw DiffusionError(
      .invalidSetting, "eta",
      "found \(eta), expected 0, since \(rawValue) has no such setting; leave it out or use --scheduler ddim"
    )
  }
}
