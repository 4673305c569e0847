public import Checkpoints
public import NeuralLayers
public import TensorCore

/// Trains a model step by step.
///
///     var trainer = try Trainer(weights, isBuffer: GroundingModule.isBuffer, settings, task: "grounding …")
///     while !trainer.isFinished {
///       let report = try trainer.step { weights, pass in
///         let module = try GroundingModule(weights, configuration)
///         return groundingLoss(module(features, entities: entities, training: pass), targets)
///       }
///       try trainer.save(to: path)
///     }
///
/// A model is a value that its initialiser makes from weights; here the weights are tracked, and the model is made anew
/// at each step. The bytes of all results depend on the weights, the data, the settings, the kernel level and the kernels
/// that OpenBLAS has for the processor (`BLAS.coreName`): not on the thread count, nor on where a training was
/// interrupted.
public struct Trainer: Sendable {
  /// What a step says of itself.
  public struct StepReport: Sendable, Equatable {
    /// The step, the first being 0.
    public var step: Int
    /// The loss before the step.
    public var loss: Float
    /// The length of all gradients as one vector, before it was limited.
    public var gradientNorm: Double
    /// The learning rate it was made with.
    public var learningRate: Double
  }

  /// What decides what is made of data and weights.
  public let settings: TrainingSettings
  /// What is trained, in words of its own: a state is only gone on with under the same ones.
  public let task: String
  /// Weights and all else that changes.
  public private(set) var state: TrainingState

  /// Begins a training.
  ///
  /// - Parameters:
  ///   - weights: of the model, by key.
  ///   - isBuffer: whether forward passes, not the optimiser, change a key.
  ///   - settings: how it is trained.
  ///   - task: what is trained.
  /// - Throws: `TrainingError` where a setting is out of range.
  public init(
    _ weights: [String: Tensor], isBuffer: (String) -> Bool = { _ in false },
    _ settings: TrainingSettings, task: String
  ) throws {
    try settings.check()
    (self.settings, self.task) = (settings, task)
    state = TrainingState(
      parameters: weights.filter { !isBuffer($0.key) },
      buffers: weights.filter { isBuffer($0.key) },
      settings)
  }

  /// Goes on with a training where ``save(to:)`` left it; the weights will have the same bytes as without the stop.
  ///
  /// - Throws: `CheckpointError` where the file is damaged, or the state of another task or of other settings.
  public init(resuming path: String, _ settings: TrainingSettings, task: String) throws {
    try settings.check()
    (self.settings, self.task) = (settings, task)
    state = try TrainingState(path: path, settings, task: task)
  }

  /// Writes the state; under its name there is either what was before or the complete new one.
  ///
  /// - Throws: `CheckpointError` where the file cannot be written.
  public func save(to path: String) throws { try state.write(to: path, settings, task: task) }

  /// Whether all steps of the schedule are made.
  public var isFinished: Bool { state.step >= settings.schedule.total }

  /// Makes one step.
  ///
  /// - Parameter loss: makes the model from the weights it is given and computes a scalar with it.
  /// - Returns: what the step says of itself.
  /// - Throws: `TrainingError.Code.diverged` where the loss or a gradient is not finite, and what `loss` throws; the
  ///   state is then as before the step.
  public mutating func step(
    _ loss: (_ weights: WeightScope, _ pass: TrainingPass) throws -> Tensor
  ) throws -> StepReport {
    let pass = TrainingPass(
      momentum: Float(settings.statisticsMomentum), seed: settings.seed, step: state.step)
    let tracked = state.parameters.mapValues { $0.tracked() }
    let scope = WeightScope(
      DictionarySource(tracked.merging(state.buffers) { own, _ in own }, name: "step \(state.step)")
    )
    let value = try loss(scope, pass)
    precondition(value.count == 1, "a training's loss is a scalar, found \(value.shape)")
    guard value.scalarValue.isFinite else { throw diverged("the loss is \(value.scalarValue)") }
    let found = value.gradients()
    let gradients = tracked.compactMapValues { found[$0] }
    let norm = Self.norm(gradients)
    guard norm.isFinite else { throw diverged("the gradients' length is \(norm)") }
    let rate = settings.learningRate * settings.schedule.factor(at: state.step)
    let factor = settings.gradientLimit.map { min(1, $0 / (norm + 1e-6)) } ?? 1
    let before = state
    update(gradients, factor: Float(factor), rate: rate)
    for (key, buffer) in pass.buffers {
      precondition(
        state.buffers[key]?.shape == buffer.shape,
        "\(key) \(buffer.shape) is no buffer of this training")
      state.buffers[key] = buffer
    }
    state.step += 1
    guard state.weights.values.allSatisfy(\.isFinite) else {
      state = before
      throw diverged("a weight left the range of numbers")
    }
    return StepReport(
      step: before.step, loss: value.scalarValue, gradientNorm: norm, learningRate: rate)
  }

  private func diverged(_ what: String) -> TrainingError {
    TrainingError(
      .diverged, "training step \(state.step)",
      "\(what); the weights of the step before are kept: lower the learning rate or limit the gradients"
    )
  }

  /// The length of all gradients as one vector, summed in the order of the keys.
  private static func norm(_ gradients: [String: Tensor]) -> Double {
    gradients.sorted { $0.key < $1.key }.reduce(0.0) { $0 + $1.value.sumOfSquares }.squareRoot()
  }

  private mutating func update(_ gradients: [String: Tensor], factor: Float, rate: Double) {
    switch settings.optimizer {
    case .adamW(let numbers):
      let coefficients = AdamCoefficients(
        step: state.step + 1, learningRate: rate, weightDecay: numbers.weightDecay,
        beta1: numbers.beta1, beta2: numbers.beta2, epsilon: numbers.epsilon)
      for (key, gradient) in gradients {
        guard let weight = state.parameters[key], let mean = state.means[key],
          let square = state.squares[key]
        else { preconditionFailure("AdamW: \(key) has no averages") }
        let next = adamStep(
          weight: weight, mean: mean, square: square, gradient: gradient, factor: factor,
          coefficients)
        (state.parameters[key], state.means[key], state.squares[key]) = next
      }
    case .gradientDescent(let numbers):
      for (key, gradient) in gradients {
        guard let weight = state.parameters[key] else { continue }
        var direction = combined(gradient, factor, weight, Float(numbers.weightDecay))
        if let sum = state.means[key] {
          direction = combined(sum, Float(numbers.momentum), direction, 1)
          state.means[key] = direction
        }
        state.parameters[key] = combined(weight, 1, direction, Float(-rate))
      }
    }
    guard let decay = settings.averageDecay else { return }
    for (key, average) in state.averages {
      guard let weight = state.parameters[key] else { continue }
      state.averages[key] = combined(average, Float(decay), weight, Float(1 - decay))
    }
  }
}
