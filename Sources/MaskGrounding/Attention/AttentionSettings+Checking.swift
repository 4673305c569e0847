import LatentDiffusion

extension AttentionSettings {
  /// Refuses settings that are out of range for any U-Net.
  func check() throws {
    func fault(_ message: String) -> DiffusionError {
      DiffusionError(.invalidSetting, "attention", message)
    }
    guard levels?.isEmpty != true else { throw fault("no level is chosen, expected at least one") }
    guard threshold > 0 && threshold < 1 else {
      throw fault("found the threshold \(threshold), expected a number between 0 and 1")
    }
    if let power = refinement?.power, !(1...16).contains(power) {
      throw fault("found the refinement's power \(power), expected 1 to 16")
    }
    switch steps {
    case .all: break
    case .share(let from, let to):
      guard from >= 0 && from < to && to <= 1 else {
        throw fault("found the steps from \(from) to \(to), expected shares with 0 ≤ from < to ≤ 1")
      }
    case .listed(let steps):
      guard !steps.isEmpty, steps.allSatisfy({ $0 >= 0 }) else {
        throw fault("found the steps \(steps), expected at least one, counted from 0")
      }
    }
  }

  /// Whether a step of a run is read.
  func wants(step: Int, of count: Int) -> Bool {
    switch steps {
    case .all: return true
    case .share(let from, let to):
      let middle = (Double(step) + 0.5) / Double(count)
      return middle >= from && middle < to
    case .listed(let steps): return steps.contains(step)
    }
  }
}
