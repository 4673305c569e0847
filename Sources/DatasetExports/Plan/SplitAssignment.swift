/// Deals groups of samples to splits so that every split gets its share of all samples and of every class.
///
/// Groups with rare classes come first, larger ones before smaller ones, then by rank. Each goes where most is missing,
/// of all samples and of its classes together, while there is room; the first of a class goes to train, so that no
/// class is measured that was never learned. At the end groups move where that brings the sizes closer to the shares.
///
/// - Source: after Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data" (2011), with what is
///   missing counted up to the sample at hand, so that classes with few samples do not all fall to one side.
public struct SplitAssignment {
  /// Samples that must stay together.
  public struct Group: Sendable, Equatable {
    /// How many.
    public var size: Int
    /// How many of them show each class.
    public var classes: [Int: Int]
    /// Decides between groups that are equal otherwise; different for every group.
    public var rank: String

    /// Describes a group.
    public init(size: Int, classes: [Int: Int], rank: String) {
      self.size = size
      self.classes = classes
      self.rank = rank
    }
  }

  private let groups: [Group]
  private let shares: SplitShares
  private let targets: [Int]
  private var splits: [DatasetSplit]
  private var seen = 0
  private var sizes = [Int](repeating: 0, count: DatasetSplit.allCases.count)
  private var classSeen: [Int: Int] = [:]
  private var classSizes: [Int: [Int]] = [:]

  /// Deals groups.
  ///
  /// - Parameters:
  ///   - groups: the groups, in any order.
  ///   - shares: what each split gets.
  /// - Returns: the split of each group; it does not depend on the groups' order.
  public static func assign(_ groups: [Group], shares: SplitShares) -> [DatasetSplit] {
    var assignment = SplitAssignment(groups, shares)
    for group in assignment.order() { assignment.place(group) }
    assignment.balance()
    return assignment.splits
  }

  private init(_ groups: [Group], _ shares: SplitShares) {
    self.groups = groups
    self.shares = shares
    let counts = shares.counts(of: groups.reduce(0) { $0 + $1.size })
    targets = DatasetSplit.allCases.map { counts[$0] ?? 0 }
    splits = Array(repeating: shares.used[0], count: groups.count)
  }

  private func order() -> [Int] {
    var totals: [Int: Int] = [:]
    for group in groups { totals.merge(group.classes, uniquingKeysWith: +) }
    let commonness = Dictionary(
      uniqueKeysWithValues: totals.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        .enumerated().map { ($1.key, $0) })
    let keys = groups.map { group in
      group.classes.keys.compactMap { commonness[$0] }.min() ?? Int.max
    }
    return groups.indices.sorted {
      (keys[$0], groups[$1].size, groups[$0].rank) < (keys[$1], groups[$0].size, groups[$1].rank)
    }
  }

  private mutating func place(_ index: Int) {
    let group = groups[index]
    seen += group.size
    classSeen.merge(group.classes, uniquingKeysWith: +)
    let roomy = shares.used.filter { targets[$0.place] - sizes[$0.place] >= group.size }
    let split: DatasetSplit
    if roomy.contains(.train), group.classes.keys.contains(where: isUnlearned) {
      split = .train
    } else if roomy.isEmpty {
      split = best(of: shares.used) { targets[$0.place] - sizes[$0.place] }
    } else {
      split = best(of: roomy) { missing(in: $0, group) }
    }
    splits[index] = split
    sizes[split.place] += group.size
    for (id, count) in group.classes {
      classSizes[id, default: [0, 0, 0]][split.place] += count
    }
  }

  private func isUnlearned(_ id: Int) -> Bool {
    (classSizes[id]?[DatasetSplit.train.place] ?? 0) == 0
  }

  /// A hundred times what a split lacks, of all samples so far and of the group's classes.
  private func missing(in split: DatasetSplit, _ group: Group) -> Int {
    let share = shares[split]
    let ofAll = share * seen - 100 * sizes[split.place]
    return group.classes.keys.reduce(ofAll) { sum, id in
      sum + share * (classSeen[id] ?? 0) - 100 * (classSizes[id]?[split.place] ?? 0)
    }
  }

  /// The first of the splits with the highest value.
  private func best(
    of candidates: [DatasetSplit], by value: (DatasetSplit) -> Int
  ) -> DatasetSplit {
    let highest = candidates.map(value).max()
    return candidates.first { value($0) == highest } ?? candidates[0]
  }

  /// Moves groups from splits that have too much to those that have too little, as long as that helps.
  private mutating func balance() {
    let byRank = groups.indices.sorted { groups[$0].rank < groups[$1].rank }
    while let (index, split) = bestMove(byRank) {
      sizes[splits[index].place] -= groups[index].size
      sizes[split.place] += groups[index].size
      splits[index] = split
    }
  }

  private func bestMove(_ candidates: [Int]) -> (Int, DatasetSplit)? {
    let over = DatasetSplit.allCases.map { sizes[$0.place] - targets[$0.place] }
    guard over.contains(where: { $0 > 0 }) else { return nil }
    var found: (gain: Int, index: Int, split: DatasetSplit)?
    for index in candidates {
      let (from, size) = (splits[index], groups[index].size)
      guard over[from.place] > 0 else { continue }
      for split in shares.used where over[split.place] < 0 {
        let before = abs(over[from.place]) + abs(over[split.place])
        let after = abs(over[from.place] - size) + abs(over[split.place] + size)
        if before - after > found?.gain ?? 0 { found = (before - after, index, split) }
      }
    }
    return found.map { ($0.index, $0.split) }
  }
}
