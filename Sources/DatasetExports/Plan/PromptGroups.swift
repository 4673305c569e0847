import DatasetFormat

/// The samples of a run by prompt, to be divided together.
struct PromptGroups {
  private let seed: String
  private var groupOfPrompt: [String: Int] = [:]
  private var groups: [SplitAssignment.Group] = []
  private var members: [(index: Int, group: Int)] = []

  /// Ranks prompts by a hash of the run's seed and the prompt.
  init(seed: String) { self.seed = seed }

  mutating func add(_ record: SampleRecord) {
    let group: Int
    // Without a prompt nothing says which samples belong together.
    let key = record.prompt.isEmpty ? "\(record.index)" : "=" + record.prompt
    if let known = groupOfPrompt[key] {
      group = known
    } else {
      group = groups.count
      groupOfPrompt[key] = group
      let rank = ContentHash.sha256(
        Array("\(seed)\n\(record.prompt.isEmpty ? key : record.prompt)".utf8))
      groups.append(.init(size: 0, classes: [:], rank: rank))
    }
    groups[group].size += 1
    let shown = record.entities.filter { $0.isPresent && $0.area > 0 }
    for id in Set(shown.map(\.classID)) { groups[group].classes[id, default: 0] += 1 }
    members.append((record.index, group))
  }

  func entries(shares: SplitShares) -> [ExportPlan.Entry] {
    let splits = SplitAssignment.assign(groups, shares: shares)
    return members.map { ExportPlan.Entry(index: $0.index, split: splits[$0.group]) }
  }
}
