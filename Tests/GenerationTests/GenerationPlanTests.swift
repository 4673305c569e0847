import Generation
import Testing

@Suite struct GenerationPlanTests {
  private func plan(
    _ list: String, objects: ClosedRange<Int> = 1...1, count: Int, seed: UInt64 = 7,
    templates: String = "simple"
  ) throws -> GenerationPlan {
    let library = try checkoutLibrary()
    return try GenerationPlan(
      source: .vocabulary(
        library.vocabulary(list), library.templates(templates), objects: objects),
      count: count, seed: seed)
  }

  @Test func seedsAreAsDocumentedAndDistinct() {
    // The reference sequence of SplitMix64 from state 0: its first output is the finaliser of one golden step.
    #expect(SampleSeed.derive(run: 0, index: 0, attempt: 0) != 0)
    var seen = Set<UInt64>()
    for index in UInt64(0)..<20_000 {
      for attempt in UInt64(0)..<3 {
        seen.insert(SampleSeed.derive(run: 42, index: index, attempt: attempt))
      }
    }
    #expect(seen.count == 60_000)
    #expect(
      SampleSeed.derive(run: 1, index: 0, attempt: 0)
        != SampleSeed.derive(run: 0, index: 1, attempt: 0))
  }

  @Test func seedsFollowThePublishedMixer() {
    func mix(_ value: UInt64) -> UInt64 {
      var z = value &+ 0x9E37_79B9_7F4A_7C15
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    #expect(mix(0) == 0xE220_A839_7B1D_CDAF)  // the first output of SplitMix64 seeded with 0
    #expect(SampleSeed.derive(run: 5, index: 6, attempt: 7) == mix(mix(mix(5) &+ 6) &+ 7))
  }

  @Test func everyPrefixIsBalancedWithinOne() throws {
    for (list, seed) in [("voc", UInt64(0)), ("objectworld", 1), ("dog,cat,mug", 2), ("dog,", 3)] {
      let plan = try plan(list, count: 300, seed: seed)
      var counts: [Int: Int] = [:]
      let size = try checkoutLibrary().vocabulary(list).classes.count
      for index in 0..<300 {
        for one in plan.sample(index).classes { counts[one, default: 0] += 1 }
        let all = (0..<size).map { counts[$0, default: 0] }
        #expect((all.max() ?? 0) - (all.min() ?? 0) <= 1)
      }
    }
  }

  @Test func severalObjectsAreDistinctAndBalanced() throws {
    let plan = try plan("voc", objects: 1...4, count: 4000)
    var counts: [Int: Int] = [:]
    var sizes: [Int: Int] = [:]
    for index in 0..<4000 {
      let classes = plan.sample(index).classes
      #expect(Set(classes).count == classes.count)
      sizes[classes.count, default: 0] += 1
      for one in classes { counts[one, default: 0] += 1 }
    }
    #expect(sizes.keys.sorted() == [1, 2, 3, 4])
    #expect(sizes.values.allSatisfy { 850...1150 ~= $0 })
    #expect(counts.count == 20 && counts.values.allSatisfy { 425...575 ~= $0 })
  }

  @Test func aSampleDependsOnSeedAndNumberOnly() throws {
    let short = try plan("voc", count: 10)
    let long = try plan("voc", count: 100_000)
    let other = try plan("voc", count: 10, seed: 8)
    for index in 0..<10 {
      #expect(short.sample(index) == long.sample(index))
      #expect(short.sampleSeed(index, attempt: 0) == long.sampleSeed(index, attempt: 0))
    }
    #expect((0..<10).map { short.sample($0).prompt } != (0..<10).map { other.sample($0).prompt })
  }

  @Test func weightsRuleHowOftenATemplateIsDrawn() throws {
    let set = try templateSet(
      "templates:\n  - {text: \"rare {objects}\", weight: 1}\n  - {text: \"usual {objects}\", weight: 3}\n"
    )
    let plan = try GenerationPlan(
      source: .vocabulary(Vocabulary(list: "dog"), set, objects: 1...1), count: 4000, seed: 3)
    let rare = (0..<4000).count { plan.sample($0).prompt.hasPrefix("rare") }
    #expect(900...1100 ~= rare)
  }

  @Test func promptsByHandAreTakenInTurn() throws {
    let plan = try GenerationPlan(source: .prompts(["a", "b\n", ""]), count: 5, seed: 0)
    #expect((0..<5).map { plan.sample($0).prompt } == ["a", "b\n", "", "a", "b\n"])
    #expect(plan.sample(0).classes.isEmpty)
  }

  @Test func impossibleRequestsAreUsageErrors() throws {
    func code(_ body: () throws -> GenerationPlan) -> GenerationError.Code? {
      do {
        _ = try body()
        return nil
      } catch {
        return (error as? GenerationError)?.code
      }
    }
    #expect(code { try plan("voc", count: 0) } == .usage)
    #expect(code { try plan("voc", count: -3) } == .usage)
    #expect(code { try plan("voc", count: .max) } == .usage)
    #expect(code { try plan("dog,", objects: 1...2, count: 1) } == .usage)
    #expect(code { try plan("voc", objects: 1...5, count: 1) } == .usage)
    #expect(code { try plan("voc", objects: 2...2, count: 1, templates: "imagenet80") } == .usage)
    #expect(code { try GenerationPlan(source: .prompts([]), count: 1, seed: 0) } == .usage)
  }
}
