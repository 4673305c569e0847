import DatasetExports
import TestSupport
import Testing

@Suite struct SplitTests {
  private typealias Group = SplitAssignment.Group

  @Test func sharesAreThreeNumbersOfAHundredInSum() {
    #expect(SplitShares("80,10,10") == .usual)
    #expect(SplitShares("100,0,0")?.used == [.train])
    for text in [
      "", "80", "80,20", "80,10,11", "80,10,10,0", "80, 10,10", "-10,100,10", "80.5,9.5,10",
      "+80,10,10", "80,,20", "99999999999999999999,0,0", "\u{0668}0,10,10", "a,b,c",
    ] {
      #expect(SplitShares(text) == nil, "\(text)")
    }
  }

  @Test func countsFollowTheSharesAndSumUp() throws {
    for text in ["80,10,10", "70,15,15", "34,33,33", "0,50,50", "1,0,99"] {
      let shares = try #require(SplitShares(text))
      for total in 0..<300 {
        let counts = shares.counts(of: total)
        #expect(counts.values.reduce(0, +) == total)
        for split in DatasetSplit.allCases {
          let exact = Double(total * shares[split]) / 100
          #expect(abs(Double(counts[split] ?? -1) - exact) < 1, "\(text), \(total)")
        }
      }
    }
  }

  private func sizes(_ groups: [Group], _ splits: [DatasetSplit]) -> [DatasetSplit: Int] {
    zip(groups, splits).reduce(into: [:]) { $0[$1.1, default: 0] += $1.0.size }
  }

  @Test func samplesAloneGiveTheExactSizesAndEveryClassItsShare() throws {
    for seed in 0..<30 {
      var random = SeededGenerator(seed: UInt64(seed))
      let classCount = 1 + Int(random.next() % 20)
      let groups = (0..<500).map { index -> Group in
        // Some classes are common, some rare.
        let id = Int(random.next() % UInt64(classCount)) * Int(random.next() % 2)
        return Group(size: 1, classes: [id: 1], rank: "\(random.next())-\(index)")
      }
      let splits = SplitAssignment.assign(groups, shares: .usual)
      #expect(sizes(groups, splits) == [.train: 400, .val: 50, .test: 50])
      for id in 0..<classCount {
        let members = zip(groups, splits).filter { $0.0.classes[id] != nil }
        for split in DatasetSplit.allCases {
          let wanted = Double(members.count * SplitShares.usual[split]) / 100
          let found = Double(members.count { $0.1 == split })
          #expect(abs(found - wanted) <= 2.5, "seed \(seed), class \(id), \(split)")
        }
      }
    }
  }

  @Test func groupsOfAnySizeComeCloseToTheShares() throws {
    for seed in 0..<50 {
      var random = SeededGenerator(seed: UInt64(seed))
      let groups = (0..<120).map { index -> Group in
        let size = 1 + Int(random.next() % 8)
        let classes = (0..<Int(random.next() % 4)).map { _ in Int(random.next() % 12) }
        return Group(
          size: size, classes: Dictionary(classes.map { ($0, size) }) { first, _ in first },
          rank: "\(random.next())-\(index)")
      }
      let total = groups.reduce(0) { $0 + $1.size }
      let splits = SplitAssignment.assign(groups, shares: .usual)
      let found = sizes(groups, splits)
      for (split, wanted) in SplitShares.usual.counts(of: total) {
        #expect(abs((found[split] ?? 0) - wanted) <= 1, "seed \(seed), \(split)")
      }
    }
  }

  @Test func theOrderOfGroupsDoesNotMatter() {
    var random = SeededGenerator(seed: 5)
    let groups = (0..<200).map { index -> Group in
      Group(
        size: 1 + index % 3, classes: [Int(random.next() % 6): 1], rank: "\(random.next())")
    }
    let byRank = Dictionary(
      uniqueKeysWithValues: zip(
        groups.map(\.rank), SplitAssignment.assign(groups, shares: .usual)))
    let shuffled = groups.shuffled(using: &random)
    for (group, split) in zip(shuffled, SplitAssignment.assign(shuffled, shares: .usual)) {
      #expect(byRank[group.rank] == split)
    }
  }

  @Test func everyClassIsLearnedThatIsMeasured() {
    let groups = (0..<60).map { index in
      Group(size: 1, classes: [index / 3: 1], rank: "\(index * 7919 % 1000)-\(index)")
    }
    let splits = SplitAssignment.assign(groups, shares: .usual)
    let learned = Set(zip(groups, splits).filter { $0.1 == .train }.flatMap(\.0.classes.keys))
    #expect(learned.count == 20)
    #expect(sizes(groups, splits) == [.train: 48, .val: 6, .test: 6])
    let measured = Set(zip(groups, splits).filter { $0.1 != .train }.flatMap(\.0.classes.keys))
    #expect(measured.count >= 6)
  }

  @Test func aSplitWithoutShareGetsNothing() throws {
    let groups = (0..<10).map { Group(size: 1, classes: [1: 1], rank: "\($0)") }
    let shares = try #require(SplitShares("0,100,0"))
    #expect(SplitAssignment.assign(groups, shares: shares).allSatisfy { $0 == .val })
    let one = [Group(size: 9, classes: [:], rank: "a")]
    #expect(SplitAssignment.assign(one, shares: .usual) == [.train])
  }
}
