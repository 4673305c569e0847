import DatasetFormat
import Foundation
import Generation
import TestSupport
import Testing

@Suite struct PlanFileTests {
  private func plan(
    _ list: String = "voc", templates: String = "described", objects: String = "1-4", count: Int,
    seed: UInt64 = 3
  ) throws -> GenerationPlan {
    let library = try checkoutLibrary()
    return try GenerationPlan(
      source: .vocabulary(
        library.vocabulary(list), library.templates(templates),
        objects: ObjectCounts(parsing: objects)), count: count, seed: seed)
  }

  @Test func mentionsStandWhereTheySay() throws {
    for list in ["voc", "coco", "ade", "objectworld", "日本語の犬,étoile,straße,🐶,o\u{308}l"] {
      let plan = try plan(list, count: 2500)
      var counted = 0
      for index in 0..<2500 {
        let sample = plan.sample(index)
        let bytes = Array(sample.prompt.utf8)
        var end = 0
        for mention in sample.mentions {
          #expect(mention.range.lowerBound > end, "\(sample.prompt)")
          #expect(bytes[mention.range].elementsEqual(mention.words.utf8), "\(sample.prompt)")
          end = mention.range.upperBound
          counted += mention.count
        }
        #expect(1...4 ~= sample.mentions.count)
      }
      #expect(counted > 2500)
    }
  }

  @Test func whatIsWrittenIsReadBack() throws {
    for list in ["voc", "日本語の犬,\"quoted\",back\\slash,o\u{308}l"] {
      let plan = try plan(list, count: 300)
      try withTemporaryFolder { folder in
        try plan.write(to: folder + "/plan.jsonl") { _ in }
        let alone = try PlanFile(path: folder + "/plan.jsonl")
        let known = try PlanFile(
          path: folder + "/plan.jsonl", vocabulary: checkoutLibrary().vocabulary(list))
        let again = try GenerationPlan(source: .plan(alone), count: 300, seed: 0)
        for index in 0..<300 {
          #expect(again.sample(index) == plan.sample(index))
          for attempt in 0..<3 {
            #expect(
              again.sampleSeed(index, attempt: attempt) == plan.sampleSeed(index, attempt: attempt))
          }
        }
        #expect(again.classCounts().elementsEqual(plan.classCounts()) { $0 == $1 })
        #expect(alone.classes.map(\.named.name) == known.classes.map(\.named.name))
        #expect(known.classes.map(\.named) == plan.source.classes.map(\.named))
        let part = try GenerationPlan(source: .plan(known), count: 20, seed: 0)
        #expect(part.sample(19) == plan.sample(19))
        #expect(throws: GenerationError.self) {
          try GenerationPlan(source: .plan(known), count: 301, seed: 0)
        }
        try again.write(to: folder + "/again.jsonl") { _ in }
        #expect(try PlanFile(path: folder + "/again.jsonl").sha256 == alone.sha256)
      }
    }
  }

  @Test func aPlanThatIsStoppedLeavesNoFile() throws {
    try withTemporaryFolder { folder in
      let plan = try plan(count: 5000)
      #expect(throws: DatasetError.self) {
        try plan.write(to: folder + "/plan.jsonl") { index in
          if index > 2000 { throw DatasetError(.malformed, path: "", "stop") }
        }
      }
      #expect(names(in: folder).isEmpty)
      #expect(throws: GenerationError.self) {
        try plan.write(to: folder + "/no/plan.jsonl") { _ in }
      }
    }
  }

  private func line(
    index: Int = 0, seed: String = "\"1\"", prompt: String = "a dog", name: String = "dog",
    id: Int = 1, words: String = "dog", count: String = "1", range: String = "[2, 5]",
    template: String = "\"t\""
  ) -> String {
    """
    {"index": \(index), "seed": \(seed), "prompt": "\(prompt)", "entities": [{"name": "\(name)", "class_id": \(id), \
    "words": "\(words)", "count": \(count), "range": \(range)}], "template": \(template)}
    """
  }

  @Test func linesOfOnesOwnAreTaken() throws {
    let text = line() + "\r\n" + line(index: 1, seed: "\"18446744073709551615\"", name: "dog")
    let plan = try planFile(text)
    #expect(plan.samples.count == 2 && plan.seeds == [1, .max])
    let bare = #"{"index": 0, "seed": "0", "prompt": "", "entities": [], "template": ""}"#
    #expect(try planFile(bare).classes.isEmpty)
  }

  @Test func hostileLinesAreNamed() throws {
    let good = line() + "\n"
    for (text, part) in [
      ("", "has no sample"), ("\n", ":1: not JSON"), (good + "\n", ":2: not JSON"),
      (good + "{", ":2: not JSON"), (good + "[]", ":2: found an array"),
      (good + line(), ":2: index: found 0, expected 1"), (line(index: 1), ":1: index: found 1"),
      (line(index: -1), ":1: index"), (line(seed: "1"), "seed: expected text"),
      (line(seed: "\"18446744073709551616\""), "seed: found"),
      (line(seed: "\"01\""), "seed: found"),
      (line(seed: "\"-1\""), "seed: found"), (line(id: 0), "class_id: found 0"),
      (line(id: 65_535), "class_id: found 65535"), (line(name: ""), "name: expected"),
      (line(name: "a,b"), "name: expected"), (line(name: "a\\u0000"), "name: expected"),
      (line(words: "cat"), "range: expected"), (line(range: "[2, 6]"), "range: expected"),
      (line(range: "[5, 2]"), "range: expected"), (line(range: "[-1, 2]"), "range: expected"),
      (line(range: "[2, 2]", template: "\"\""), "range: expected"),
      (line(range: "[2, 5, 7]"), "range: expected"), (line(range: "\"2\""), "range: expected"),
      (line(range: "[2, 9223372036854775807]"), "range: expected"),
      (line(count: "0"), "count: found 0"), (line(count: "1e99"), "count"),
      (line(template: "null"), "template: expected text"),
      (good + line(index: 1, name: "cat"), ":2: the class id 1 is \"cat\" here and \"dog\""),
      (good + line(index: 1, id: 2), "one class name stands for two class ids"),
      ("{\"index\": 0, \"index\": 0}", ":1: not JSON"),
      (
        line().replacing("\"template\"", with: "\"extra\": 1, \"template\""),
        "unknown key \"extra\""
      ),
      (
        "{\"index\": 0, \"seed\": \"1\", \"prompt\": \"x\", \"entities\": 3, \"template\": \"\"}",
        "entities"
      ),
      (String(repeating: "[", count: 100_000), ":1: not JSON"),
      (String(repeating: " ", count: (1 << 20) + 1), ":1: has 1048577 bytes"),
    ] {
      do {
        _ = try planFile(text)
        Issue.record("accepted \(text.prefix(200))")
      } catch {
        #expect("\(error)".contains(part), "\(error)")
      }
    }
    #expect(throws: GenerationError.self) { try PlanFile(path: "/no/such/plan.jsonl") }
    #expect(throws: GenerationError.self) { try PlanFile(path: "/dev/zero") }
  }

  @Test func aVocabularySaysWhichClassesThereAre() throws {
    let list = try Vocabulary(list: "cat,dog")
    #expect(throws: GenerationError.self) { try planFile(line(), vocabulary: list) }
    #expect(throws: GenerationError.self) { try planFile(line(id: 3), vocabulary: list) }
    #expect(try planFile(line(id: 2), vocabulary: list).classes.map(\.id) == [1, 2])
  }

  @Test(arguments: [("voc-10k", 10_000, 750), ("coco-110k", 110_000, 2063)])
  func presetsPlanTheirDataSets(name: String, count: Int, most: Int) throws {
    let library = try checkoutLibrary()
    let preset = try library.preset(name)
    #expect(preset.count == count)
    let plan = try GenerationPlan(
      source: .vocabulary(
        library.vocabulary(preset.vocabulary), library.templates(preset.templates),
        objects: preset.objects), count: preset.count, seed: 0)
    var sizes = [0, 0]
    for index in 0..<count {
      let sample = plan.sample(index)
      sizes[sample.classes.count - 1] += 1
      if index < 1000 { #expect(sample.prompt.hasPrefix("a photograph of ")) }
    }
    #expect(sizes == [count / 2, count / 2])
    let counts = plan.classCounts().map(\.count)
    // One and a half classes a sample, evenly over the vocabulary, rounded up or down.
    let exact = Double(count) * 1.5 / Double(counts.count)
    #expect(counts.max() == most && most == Int(exact.rounded(.up)))
    #expect(counts.allSatisfy { abs(Double($0) - exact) < 1 })
  }

  @Test(arguments: [
    ("vocabulary: voc\ntemplates: photo\nobjects: 9\ncount: 3\n", ":3: objects: found 9"),
    ("vocabulary: voc\ntemplates: photo\nobjects: 1\ncount: 0\n", ":4: count: found 0"),
    ("vocabulary: voc\ntemplates: photo\nobjects: 1\n", "the key \"count\" is missing"),
    ("vocabulary: voc\nsteps: 3\n", ":2: preset: unknown key \"steps\""),
  ])
  func brokenPresetsAreNamedWithTheirLine(text: String, part: String) throws {
    try withTemporaryFolder { folder in
      try text.write(toFile: folder + "/p.yaml", atomically: false, encoding: .utf8)
      do {
        _ = try checkoutLibrary().preset(folder + "/p.yaml")
        Issue.record("accepted")
      } catch {
        #expect("\(error)".contains(part), "\(error)")
      }
    }
  }
}
