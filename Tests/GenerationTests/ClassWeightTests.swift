import Generation
import TestSupport
import Testing

@Suite struct ClassWeightTests {
  private func plan(
    _ weights: [Double], objects: String, count: Int, seed: UInt64 = 0
  ) throws -> GenerationPlan {
    let named = Array((0..<weights.count).map { "thing\($0)" })
    let lines = zip(named, weights).map { "\($0)\t\($1)" }.joined(separator: "\n")
    let library = try checkoutLibrary()
    let vocabulary = try Vocabulary(list: named.joined(separator: ",") + ",")
      .weighted(by: classWeights(lines, suffix: "tsv"))
    return try GenerationPlan(
      source: .vocabulary(
        vocabulary, library.templates("photo"), objects: ObjectCounts(parsing: objects)),
      count: count, seed: seed)
  }

  private func check(_ weights: [Double], objects: String, count: Int, seed: UInt64) throws {
    let plan = try plan(weights, objects: objects, count: count, seed: seed)
    let total = weights.reduce(0, +)
    var counts = [Int](repeating: 0, count: weights.count)
    var mentions = 0
    var worst = 0.0
    for index in 0..<count {
      let classes = plan.sample(index).classes
      #expect(Set(classes).count == classes.count)
      for one in classes { counts[one] += 1 }
      mentions += classes.count
      for (found, weight) in zip(counts, weights) {
        worst = max(worst, abs(Double(found) - Double(mentions) * weight / total))
      }
    }
    #expect(worst < 1 + 1e-9, "\(weights) \(objects) seed \(seed)")
    #expect(plan.classCounts().map(\.count) == counts)
  }

  @Test func everyPrefixFollowsTheWeightsWithinOne() throws {
    try check([3, 2, 1], objects: "1", count: 500, seed: 0)
    try check([3, 2, 1, 0], objects: "1-2", count: 500, seed: 1)
    try check([1, 1, 1, 1], objects: "4", count: 50, seed: 2)
    try check([1000, 1, 999.5, 250, 17.125], objects: "1:5,2:1", count: 3000, seed: 3)
  }

  @Test func weightsByChanceAreFollowedToo() throws {
    var draw = SeededGenerator(seed: 12)
    for seed in UInt64(0)..<150 {
      let (objects, most) = draw.choose([
        ("1", 1), ("2", 2), ("1-2", 2), ("1-4", 4), ("1:3,3:1", 3), ("2:1,3:2", 3),
      ])
      let size = most + 1 + Int.random(in: 0..<12, using: &draw)
      var weights = (0..<size).map { _ in Double(Int.random(in: 1...900, using: &draw)) }
      let limit = weights.reduce(0, +) / Double(2 * most)
      weights = weights.map { min($0, max(1, limit.rounded(.down))) }
      guard (weights.max() ?? 0) * Double(most) <= weights.reduce(0, +) else { continue }
      try check(weights, objects: objects, count: 300, seed: seed)
    }
  }

  @Test func aClassTooHeavyForItsPromptsIsRefused() throws {
    do {
      _ = try plan([3, 1, 1], objects: "1-2", count: 10)
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains("\"thing0\" has 60.0 % of the weight"))
      #expect("\(error)".contains("50 % at most"))
    }
    #expect(throws: GenerationError.self) { try plan([1, 0, 0], objects: "2", count: 10) }
    // Without a period that ends, the plan is only as long as it can be counted through.
    let odd = [999_999.999, 999_983.017, 1]
    #expect(try plan(odd, objects: "1", count: 1000).sample(999).classes.count == 1)
    #expect(throws: GenerationError.self) { try plan(odd, objects: "1", count: 10_000_001) }
  }

  @Test(arguments: [
    ("weights: {dog: 1}\n", "weights.yaml: 2 class(es) of list have no weight: cat, mug"),
    (
      "weights:\n  dog: 1\n  cat: 2\n  mug: 1\n  owl: 1\n",
      ":5: the vocabulary list has no class \"owl\""
    ),
    ("weights:\n  dog: 1\n  cat: -2\n  mug: 1\n", ":3: the weight of \"cat\": found -2"),
    ("weights:\n  dog: 1\n  cat: 1e3\n  mug: 1\n", ":3: the weight of \"cat\": found 1e3"),
    ("weights:\n  dog: 1\n  cat: 0.0001\n  mug: 1\n", ":3: the weight"),
    ("weights:\n  dog: nan\n  cat: 1\n  mug: 1\n", ":2: the weight"),
    ("weights:\n  dog: 1000001\n  cat: 1\n  mug: 1\n", ":2: the weight"),
    ("weights: {dog: 0, cat: 0, mug: 0}\n", "no weight is above 0"),
    ("weights: [1, 2]\n", ":1: weights: found a list"),
    ("dog: 1\n", "unknown key \"dog\""),
  ])
  func brokenWeightsAreNamedWithTheirLine(text: String, part: String) throws {
    do {
      _ = try Vocabulary(list: "dog,cat,mug").weighted(by: classWeights(text))
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains(part), "\(error)")
    }
  }

  @Test func tablesAreReadAndTheirLinesNamed() throws {
    let list = try Vocabulary(list: "dog,cat")
    let weighted = try list.weighted(
      by: classWeights("# a comment\ndog\t2.5\r\n\n cat \t 1\n", suffix: "tsv"))
    #expect(weighted.weights == [2500, 1000])
    for (text, part) in [
      ("dog\t1\ndog\t2\ncat\t1\n", ":2: the class \"dog\" stands twice"),
      ("dog 1\n", ":1: found 1 field(s)"), ("dog\t1\ncat\t\n", ":2: found 1 field(s)"),
      ("dog\t1\ncat\t-\n", ":2: the weight"),
    ] {
      do {
        _ = try list.weighted(by: classWeights(text, suffix: "tsv"))
        Issue.record("accepted \(text)")
      } catch {
        #expect("\(error)".contains(part), "\(error)")
      }
    }
  }
}
