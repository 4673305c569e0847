import CanonicalJSON

/// Everything besides data and weights that decides what training makes of them.
public struct TrainingSettings: Sendable, Equatable {
  /// The rule that turns gradients into new weights.
  public var optimizer: Optimizer
  /// How far weights move.
  public var learningRate: Double
  /// How that changes.
  public var schedule: LearningRateSchedule
  /// The largest length that all gradients together may have, as one vector; longer ones are scaled down to it.
  ///
  /// Not limited where nil.
  public var gradientLimit: Double?
  /// What is kept of the running average of the weights at each step; no average is made where nil.
  public var averageDecay: Double?
  /// The share of a batch in the running statistics of batch norms.
  public var statisticsMomentum: Double
  /// Of everything that is drawn at random while training.
  public var seed: UInt64

  /// Names the settings.
  public init(
    optimizer: Optimizer = .adamW(.init()), learningRate: Double = 1e-3,
    schedule: LearningRateSchedule, gradientLimit: Double? = nil, averageDecay: Double? = nil,
    statisticsMomentum: Double = 0.1, seed: UInt64 = 0
  ) {
    (self.optimizer, self.learningRate, self.schedule) = (optimizer, learningRate, schedule)
    (self.gradientLimit, self.averageDecay) = (gradientLimit, averageDecay)
    (self.statisticsMomentum, self.seed) = (statisticsMomentum, seed)
  }

  /// - Throws: `TrainingError` naming the setting that is out of range.
  func check() throws(TrainingError) {
    func refuse(_ place: String, _ value: Double, _ expected: String) throws(TrainingError) -> Never
    {
      throw TrainingError(.invalidSetting, place, "found \(value), expected \(expected)")
    }
    try optimizer.check()
    try schedule.check()
    guard learningRate > 0, learningRate.isFinite else {
      try refuse("learning rate", learningRate, "a number above 0")
    }
    if let limit = gradientLimit, !(limit > 0) {
      try refuse("gradient limit", limit, "a number above 0")
    }
    if let decay = averageDecay, !(decay >= 0 && decay < 1) {
      try refuse("average decay", decay, "from 0 to below 1")
    }
    guard statisticsMomentum >= 0, statisticsMomentum <= 1 else {
      try refuse("statistics momentum", statisticsMomentum, "from 0 to 1")
    }
  }

  /// The settings as they stand in a state's file, where they are compared.
  var json: JSONValue {
    let optimizer: JSONValue =
      switch optimizer {
      case .adamW(let numbers):
        [
          "name": "adamw", "beta1": .number(numbers.beta1), "beta2": .number(numbers.beta2),
          "epsilon": .number(numbers.epsilon), "weight_decay": .number(numbers.weightDecay),
        ]
      case .gradientDescent(let numbers):
        [
          "name": "sgd", "momentum": .number(numbers.momentum),
          "weight_decay": .number(numbers.weightDecay),
        ]
      }
    return [
      "optimizer": optimizer, "learning_rate": .number(learningRate), "schedule": schedule.json,
      "gradient_limit": gradientLimit.map { .number($0) } ?? .null,
      "average_decay": averageDecay.map { .number($0) } ?? .null,
      "statistics_momentum": .number(statisticsMomentum), "seed": .string(String(seed)),
    ]
  }
}

extension LearningRateSchedule {
  fileprivate var json: JSONValue {
    let curve: JSONValue =
      switch curve {
      case .constant: ["name": "constant"]
      case .linear(let end): ["name": "linear", "end": .number(end)]
      case .cosine(let end): ["name": "cosine", "end": .number(end)]
      case .polynomial(let power, let end):
        ["name": "polynomial", "power": .number(power), "end": .number(end)]
      case .steps(let places, let factor):
        [
          "name": "steps", "at": .array(places.map { .integer(Int64($0)) }),
          "factor": .number(factor),
        ]
      }
    return [
      "curve": curve, "warm_up": .integer(Int64(warmUp)), "total": .integer(Int64(total)),
    ]
  }
}
