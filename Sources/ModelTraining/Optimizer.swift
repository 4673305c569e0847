/// The rule that turns gradients into new weights.
public enum Optimizer: Sendable, Equatable {
  /// Adam with weight decay of its own; see `adamStep`.
  case adamW(AdamW)
  /// Steps along the gradient, or along its running sum.
  case gradientDescent(GradientDescent)

  /// The numbers of AdamW; PyTorch's unless others are given.
  public struct AdamW: Sendable, Equatable {
    /// What is kept of the average gradient.
    public var beta1: Double
    /// What is kept of the average squared gradient.
    public var beta2: Double
    /// Added to the root of the latter.
    public var epsilon: Double
    /// The share of the learning rate that weights shrink by at each step.
    public var weightDecay: Double

    /// Names the numbers.
    public init(
      beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01
    ) {
      (self.beta1, self.beta2) = (beta1, beta2)
      (self.epsilon, self.weightDecay) = (epsilon, weightDecay)
    }
  }

  /// The numbers of gradient descent.
  ///
  /// - Source: `torch.optim.SGD`: v = μ v + (g + λ w), w −= η v; the first v is the first g + λ w.
  public struct GradientDescent: Sendable, Equatable {
    /// What is kept of the running sum.
    public var momentum: Double
    /// The share of the weights that is added to the gradient.
    public var weightDecay: Double

    /// Names the numbers.
    public init(momentum: Double = 0, weightDecay: Double = 0) {
      (self.momentum, self.weightDecay) = (momentum, weightDecay)
    }
  }

  func check() throws(TrainingError) {
    func refuse(_ place: String, _ value: Double, _ expected: String) throws(TrainingError) -> Never
    {
      throw TrainingError(
        .invalidSetting, "optimiser: \(place)", "found \(value), expected \(expected)")
    }
    switch self {
    case .adamW(let numbers):
      for (name, beta) in [("beta1", numbers.beta1), ("beta2", numbers.beta2)]
      where !(beta >= 0 && beta < 1) { try refuse(name, beta, "from 0 to below 1") }
      guard numbers.epsilon > 0, numbers.epsilon.isFinite else {
        try refuse("epsilon", numbers.epsilon, "a number above 0")
      }
      guard numbers.weightDecay >= 0, numbers.weightDecay.isFinite else {
        try refuse("weight decay", numbers.weightDecay, "a number from 0")
      }
    case .gradientDescent(let numbers):
      guard numbers.momentum >= 0, numbers.momentum < 1 else {
        try refuse("momentum", numbers.momentum, "from 0 to below 1")
      }
      guard numbers.weightDecay >= 0, numbers.weightDecay.isFinite else {
        try refuse("weight decay", numbers.weightDecay, "a number from 0")
      }
    }
  }
}
