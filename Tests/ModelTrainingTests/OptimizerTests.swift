import Checkpoints
import ModelTraining
import NeuralLayers
import TensorCore
import TestSupport
import Testing

@Suite struct OptimizerTests {
  /// Σ (w − 3)² · a, whose gradient is 2 a (w − 3).
  private static let curvature = Tensor([1, 0.1, 10, 0.01], shape: [4])

  private static func bowl(_ weights: WeightScope, _ pass: TrainingPass) throws -> Tensor {
    let offset = try weights.tensor("w", [4]) - Tensor(repeating: 3, shape: [4])
    return (offset * offset * curvature).sum()
  }

  private func trainer(_ settings: TrainingSettings) throws -> Trainer {
    try Trainer(["w": Tensor([0, 1, -2, 5], shape: [4])], settings, task: "bowl")
  }

  /// The same steps, written plainly in double precision.
  private func plain(_ settings: TrainingSettings, steps: Int) -> [Double] {
    var (w, m, v) = (
      [0.0, 1, -2, 5], [Double](repeating: 0, count: 4), [Double](repeating: 0, count: 4)
    )
    let a = Self.curvature.values.map(Double.init)
    for step in 0..<steps {
      var g = w.indices.map { 2 * a[$0] * (w[$0] - 3) }
      let norm = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if let limit = settings.gradientLimit, norm > limit {
        g = g.map { $0 * limit / (norm + 1e-6) }
      }
      let rate = settings.learningRate * settings.schedule.factor(at: step)
      for i in w.indices {
        switch settings.optimizer {
        case .adamW(let n):
          m[i] = n.beta1 * m[i] + (1 - n.beta1) * g[i]
          v[i] = n.beta2 * v[i] + (1 - n.beta2) * g[i] * g[i]
          var (power1, power2) = (1.0, 1.0)
          for _ in 0...step { (power1, power2) = (power1 * n.beta1, power2 * n.beta2) }
          w[i] -= rate * n.weightDecay * w[i]
          w[i] -= rate * (m[i] / (1 - power1)) / ((v[i] / (1 - power2)).squareRoot() + n.epsilon)
        case .gradientDescent(let n):
          m[i] = n.momentum * m[i] + g[i] + n.weightDecay * w[i]
          w[i] -= rate * m[i]
        }
      }
    }
    return w
  }

  @Test(arguments: [
    TrainingSettings(learningRate: 0.05, schedule: .init(.cosine(end: 0.1), total: 30, warmUp: 5)),
    TrainingSettings(
      optimizer: .adamW(.init(beta1: 0.8, beta2: 0.95, weightDecay: 0.2)), learningRate: 0.1,
      schedule: .init(.linear(end: 0), total: 30), gradientLimit: 0.5),
    TrainingSettings(
      optimizer: .gradientDescent(.init(momentum: 0.9, weightDecay: 0.01)), learningRate: 0.01,
      schedule: .init(total: 30)),
    TrainingSettings(
      optimizer: .gradientDescent(.init()), learningRate: 0.02,
      schedule: .init(.steps(at: [10, 20], factor: 0.5), total: 30), gradientLimit: 3),
  ])
  func stepsAreThoseOfThePlainFormula(settings: TrainingSettings) throws {
    var trainer = try trainer(settings)
    for _ in 0..<30 { _ = try trainer.step(Self.bowl) }
    let found = try #require(trainer.state.parameters["w"]).values
    for (a, b) in zip(found, plain(settings, steps: 30)) { #expect(abs(Double(a) - b) < 2e-5) }
  }

  @Test func theAverageFollowsTheWeights() throws {
    var trainer = try trainer(
      TrainingSettings(learningRate: 0.1, schedule: .init(total: 20), averageDecay: 0.9))
    var expected = [0.0, 1, -2, 5]
    for _ in 0..<20 {
      _ = try trainer.step(Self.bowl)
      let weights = try #require(trainer.state.parameters["w"]).values
      expected = zip(expected, weights).map { 0.9 * $0 + 0.1 * Double($1) }
    }
    let found = try #require(trainer.state.averagedWeights?["w"]).values
    for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-5) }
  }

  @Test func schedulesRiseAndFall() {
    let cosine = LearningRateSchedule(.cosine(end: 0.1), total: 110, warmUp: 10)
    #expect(cosine.factor(at: 0) == 1.0 / 11 && cosine.factor(at: 9) == 10.0 / 11)
    #expect(cosine.factor(at: 10) == 1 && abs(cosine.factor(at: 60) - 0.55) < 1e-12)
    #expect(abs(cosine.factor(at: 110) - 0.1) < 1e-12 && abs(cosine.factor(at: 500) - 0.1) < 1e-12)
    #expect(LearningRateSchedule(.linear(end: 0), total: 4).factor(at: 3) == 0.25)
    #expect(LearningRateSchedule(.polynomial(power: 2, end: 0), total: 4).factor(at: 2) == 0.25)
    let steps = LearningRateSchedule(.steps(at: [3, 5], factor: 0.1), total: 9)
    #expect(
      [2, 3, 4].map(steps.factor) == [1, 0.1, 0.1] && abs(steps.factor(at: 5) - 0.01) < 1e-12)
    #expect(LearningRateSchedule(total: 9).factor(at: 8) == 1)
  }

  @Test func aLossThatIsNoNumberStopsAndKeepsTheWeights() throws {
    var trainer = try trainer(TrainingSettings(learningRate: 0.1, schedule: .init(total: 9)))
    _ = try trainer.step(Self.bowl)
    let (before, step) = (try #require(trainer.state.parameters["w"]).values, trainer.state.step)
    for bad in [Float.nan, .infinity] {
      let error = try #require(throws: TrainingError.self) {
        try trainer.step { weights, pass in bad * (try Self.bowl(weights, pass)) }
      }
      #expect(error.code == .diverged && error.place == "training step 1")
      #expect(error.message.hasPrefix("the loss is"))
    }
    // The loss is finite, its gradient is not.
    let error = try #require(throws: TrainingError.self) {
      try trainer.step { weights, _ in
        let w = try weights.tensor("w", [4])
        return (Float(3e38) * (Float(1e20) * (w - w.untracked()))).sum()
      }
    }
    #expect(error.message.hasPrefix("the gradients' length is"))
    #expect(
      try #require(trainer.state.parameters["w"]).values == before && trainer.state.step == step)
    _ = try trainer.step(Self.bowl)
    #expect(trainer.state.step == 2)
  }

  @Test func settingsOutOfRangeAreRefused() throws {
    let good = TrainingSettings(schedule: .init(total: 5))
    var cases: [(String, TrainingSettings)] = []
    func add(_ place: String, _ change: (inout TrainingSettings) -> Void) {
      var settings = good
      change(&settings)
      cases.append((place, settings))
    }
    add("learning rate") { $0.learningRate = .nan }
    add("learning rate") { $0.learningRate = 0 }
    add("gradient limit") { $0.gradientLimit = -1 }
    add("average decay") { $0.averageDecay = 1 }
    add("statistics momentum") { $0.statisticsMomentum = 2 }
    add("optimiser: beta1") { $0.optimizer = .adamW(.init(beta1: 1)) }
    add("optimiser: epsilon") { $0.optimizer = .adamW(.init(epsilon: 0)) }
    add("optimiser: momentum") { $0.optimizer = .gradientDescent(.init(momentum: -0.1)) }
    add("learning rate schedule: steps") { $0.schedule = .init(total: 0) }
    add("learning rate schedule: warm-up") { $0.schedule = .init(total: 5, warmUp: 5) }
    add("learning rate schedule: end") { $0.schedule = .init(.linear(end: 2), total: 5) }
    add("learning rate schedule: factor") {
      $0.schedule = .init(.steps(at: [1], factor: 0), total: 5)
    }
    for (place, settings) in cases {
      let error = try #require(throws: TrainingError.self) { try trainer(settings) }
      #expect(error.code == .invalidSetting && error.place == place)
      #expect(!error.description.contains("\n"))
    }
  }
}
