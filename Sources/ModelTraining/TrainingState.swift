public import TensorCore

/// Everything a training needs to go on: what is drawn at random depends on the seed and the step alone.
public struct TrainingState: Sendable {
  /// Steps that were made.
  public internal(set) var step: Int
  /// What the optimiser changes, by key.
  public internal(set) var parameters: [String: Tensor]
  /// What forward passes change, by key.
  public internal(set) var buffers: [String: Tensor]
  /// The optimiser's averages of gradients: AdamW's, or the running sums of gradient descent with momentum.
  var means: [String: Tensor]
  /// AdamW's averages of squared gradients.
  var squares: [String: Tensor]
  /// The running average of the parameters; empty where none is made.
  var averages: [String: Tensor]

  /// The state before the first step.
  init(
    parameters: [String: Tensor], buffers: [String: Tensor], _ settings: TrainingSettings
  ) {
    let parameters = parameters.mapValues { $0.untracked() }
    step = 0
    self.parameters = parameters
    self.buffers = buffers.mapValues { $0.untracked() }
    let zeros = parameters.mapValues { Tensor.zeros($0.shape) }
    (means, squares) = (settings.keepsMeans ? zeros : [:], settings.keepsSquares ? zeros : [:])
    averages = settings.averageDecay == nil ? [:] : parameters
  }

  /// Every tensor of the model.
  public var weights: [String: Tensor] { parameters.merging(buffers) { own, _ in own } }

  /// Every tensor of the model, parameters by their running average; nil where none is made.
  public var averagedWeights: [String: Tensor]? {
    averages.isEmpty ? nil : averages.merging(buffers) { own, _ in own }
  }
}

extension TrainingSettings {
  var keepsMeans: Bool {
    switch optimizer {
    case .adamW: true
    case .gradientDescent(let numbers): numbers.momentum > 0
    }
  }

  var keepsSquares: Bool {
    if case .adamW = optimizer { true } else { false }
  }
}
