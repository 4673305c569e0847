import Generation
import Testing

@Suite struct GenerationPlanTests {
  private func plan(
    _ list: String, objects: String = "1", count: Int, seed: UInt64 = 7,
    templates: String = "simple"
  ) throws -> GenerationPlan {
    let library = try checkoutLibrary()
    return try GenerationPlan(
      source: .vocabulary(
        library.vocabulary(list), library.templates(templates),
        objects: ObjectCounts(parsing: objects)), count: count, seed: seed)
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

  @Test func retriesAreFoundFromTheFirstSeedAlone() {
    for index in UInt64(0)..<1000 {
      let first = SampleSeed.derive(run: 77, index: index, attempt: 0)
      for attempt in UInt64(0)..<4 {
        #expect(
          SampleSeed.retry(first, attempt: attempt)
            == SampleSeed.derive(run: 77, index: index, attempt: attempt))
      }
    }
    #expect(SampleSeed.retry(.max, attempt: 0) == .max && SampleSeed.retry(0, attempt: 0) == 0)
  }

  /// Classes with even weights: after every sample, none is named more than once oftener than another.
  @Test(arguments: [
    ("voc", "1"), ("objectworld48", "1"), ("dog,cat,mug", "1"), ("dog,", "1"), ("voc", "1-4"),
    ("voc", "2"), ("coco", "1:1,2:1"), ("dog,cat", "1-2"), ("dog,cat,mug", "1:3,3:2"),
    ("dog,cat,mug,owl,fence", "1:7,2:5,4:3"), ("ade", "3"), ("dog,cat,mug,owl", "4"),
  ])
  func everyPrefixIsBalancedWithinOne(list: String, objects: String) throws {
    for seed in UInt64(0)..<4 {
      let plan = try plan(list, objects: objects, count: 700, seed: seed)
      var counts = [Int](
        repeating: 0, count: try checkoutLibrary().vocabulary(list).classes.count)
      for index in 0..<700 {
        let classes = plan.sample(index).classes
        #expect(Set(classes).count == classes.count)
        for one in classes { counts[one] += 1 }
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "\(list) \(objects) \(index)")
      }
      #expect(plan.classCounts().map(\.count) == counts)
    }
  }

  @Test func numbersOfObjectsFollowTheirWeights() throws {
    for (text, shares) in [
      ("1-4", [1, 1, 1, 1]), ("1:3,2:1", [3, 1]), ("2:6,4:2", [0, 3, 0, 1]),
    ] {
      let plan = try plan("voc", objects: text, count: 1200)
      let total = shares.reduce(0, +)
      var counts = [Int](repeating: 0, count: shares.count)
      for index in 0..<1200 {
        counts[plan.sample(index).classes.count - 1] += 1
        guard (index + 1) % total == 0 else { continue }
        #expect(counts == shares.map { $0 * (index + 1) / total })
      }
    }
  }

  @Test func pairsAreMixed() throws {
    let plan = try plan("voc", objects: "2", count: 2000)
    var pairs: [[Int]: Int] = [:]
    var firsts: [Int: Int] = [:]
    for index in 0..<2000 {
      let classes = plan.sample(index).classes
      pairs[classes.sorted(), default: 0] += 1
      firsts[classes[0], default: 0] += 1
    }
    // 190 pairs of 20 classes, 10.5 each on average.
    #expect(pairs.count == 190)
    #expect(pairs.values.allSatisfy { $0 <= 30 })
    #expect(firsts.values.allSatisfy { 60...140 ~= $0 })
  }

  @Test func aSampleDependsOnSeedAndNumberOnly() throws {
    for objects in ["1", "1-4", "1:1,2:1"] {
      let short = try plan("voc", objects: objects, count: 10)
      let long = try plan("voc", objects: objects, count: 100_000)
      let other = try plan("voc", objects: objects, count: 10, seed: 8)
      for index in [9, 3, 0, 5, 1, 2, 4, 8, 6, 7] {
        #expect(short.sample(index) == long.sample(index))
        #expect(short.sampleSeed(index, attempt: 0) == long.sampleSeed(index, attempt: 0))
      }
      #expect((0..<10).map { short.sample($0).prompt } != (0..<10).map { other.sample($0).prompt })
    }
  }

  @Test func samplesAreFoundInAnyOrder() throws {
    let weights = "weights: {dog: 5, cat: 3.5, mug: 1, owl: 0.25, fence: 2}"
    let library = try checkoutLibrary()
    let vocabulary = try library.vocabulary("dog,cat,mug,owl,fence").weighted(
      by: classWeights(weights))
    let source = try PromptSource.vocabulary(
      vocabulary, library.templates("photo"), objects: ObjectCounts(parsing: "1:2,2:1"))
    let forward = try GenerationPlan(source: source, count: 6000, seed: 2)
    let backward = try GenerationPlan(source: source, count: 6000, seed: 2)
    let expected = (0..<6000).map { forward.sample($0).classes }
    for index in stride(from: 5999, to: 0, by: -477) {
      #expect(backward.sample(index).classes == expected[index])
    }
    #expect(forward.sample(0).classes == expected[0])
  }

  @Test func oneOfABillionIsFoundAtOnce() throws {
    let plan = try plan("coco", objects: "1:1,2:1", count: 1_000_000_000)
    #expect(plan.sample(999_999_999).index == 999_999_999)
    let counts = plan.classCounts().map(\.count)
    #expect(counts.reduce(0, +) == 1_500_000_000)
    #expect(Set(counts) == [18_750_000])
  }

  @Test func weightsRuleHowOftenATemplateIsDrawn() throws {
    let set = try templateSet(
      "templates:\n  - {text: \"rare {objects}\", weight: 1}\n  - {text: \"usual {objects}\", weight: 3}\n"
    )
    let plan = try GenerationPlan(
      source: .vocabulary(Vocabulary(list: "dog"), set, objects: ObjectCounts(1...1)), count: 4000,
      seed: 3)
    let rare = (0..<4000).count { plan.sample($0).prompt.hasPrefix("rare") }
    #expect(900...1100 ~= rare)
    #expect(
      Set((0..<100).map { plan.sample($0).template }) == ["rare {objects}", "usual {objects}"])
  }

  @Test func promptsByHandAreTakenInTurn() throws {
    let plan = try GenerationPlan(source: .prompts(["a", "b\n", ""]), count: 5, seed: 0)
    #expect((0..<5).map { plan.sample($0).prompt } == ["a", "b\n", "", "a", "b\n"])
    #expect(plan.sample(0).classes.isEmpty && plan.classCounts().isEmpty)
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
    #expect(code { try plan("dog,", objects: "1-2", count: 1) } == .usage)
    #expect(code { try plan("voc", objects: "2", count: 1, templates: "imagenet80") } == .usage)
    #expect(code { try GenerationPlan(source: .prompts([]), count: 1, seed: 0) } == .usage)
  }

  @Test(arguments: [
    "", "0", "5", "1-5", "3-2", "-1", "1-", "a", "1:", ":1", "1:0", "1:1001", "1:1,1:2", "5:1",
    "1:1,", "1:1;2:1", "1-2:3", "1:-1", "1:99999999999999999999",
  ])
  func numbersOfObjectsThatAreNoneAreRefused(text: String) {
    #expect(throws: GenerationError.self) { try ObjectCounts(parsing: text) }
  }
}
