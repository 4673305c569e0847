extension SchedulerConfiguration {
  /// The whole training timesteps of a run, from the noisiest.
  ///
  /// - Throws: ``DiffusionError`` where there are not as many training steps, or an offset leads past them.
  func timesteps(stepCount: Int) throws -> [Int] {
    try checkStepCount(stepCount)
    let total = trainingSteps
    let timesteps: [Int]
    switch spacing {
    case .leading:
      let stride = total / stepCount
      timesteps = (0..<stepCount).reversed().map { $0 * stride + stepsOffset }
    case .trailing:
      timesteps = trailing(from: total, stepCount: stepCount)
    case .linspace:
      timesteps = evenly(stepCount: stepCount).map { Int($0.rounded(.toNearestOrEven)) }
    }
    try checkRange(timesteps)
    return timesteps
  }

  /// The same where the linspace spacing need not hit training steps.
  ///
  /// - Throws: as ``timesteps(stepCount:)``.
  func fractionalTimesteps(stepCount: Int) throws -> [Float] {
    guard spacing == .linspace else { return try timesteps(stepCount: stepCount).map(Float.init) }
    try checkStepCount(stepCount)
    return evenly(stepCount: stepCount).map(Float.init)
  }

  /// Steps from training step `end` − 1 down, by the stride of all training steps.
  ///
  /// For some counts the reference's list grows by one step to timestep −1 through rounding; ours does not.
  func trailing(from end: Int, stepCount: Int) -> [Int] {
    let stride = Double(trainingSteps) / Double(stepCount)
    // NumPy's `arange` multiplies the difference of its first two values.
    let difference = (Double(end) - stride) - Double(end)
    let count = min(stepCount, Int((Double(end) / stride).rounded(.up)))
    let timesteps = (0..<count).map { index in
      Int((Double(end) + Double(index) * difference).rounded(.toNearestOrEven)) - 1
    }
    return timesteps.filter { $0 >= 0 }
  }

  func checkStepCount(_ stepCount: Int) throws {
    guard stepCount >= 1, stepCount <= trainingSteps else {
      throw DiffusionError(
        .invalidSetting, "steps", "found \(stepCount), expected 1...\(trainingSteps)")
    }
  }

  /// Refuses timesteps behind the last training step.
  func checkRange(_ timesteps: [Int]) throws {
    guard let first = timesteps.max(), first >= trainingSteps else { return }
    throw DiffusionError(
      .invalidSetting, "steps",
      "\(timesteps.count) steps with steps_offset \(stepsOffset) lead to timestep \(first), past the "
        + "last training step \(trainingSteps - 1); use fewer steps")
  }

  private func evenly(stepCount: Int) -> [Double] {
    let last = Double(trainingSteps - 1)
    let stride = stepCount > 1 ? last / Double(stepCount - 1) : 0
    return (0..<stepCount).reversed().map { index in
      index > 0 && index == stepCount - 1 ? last : Double(index) * stride
    }
  }
}
