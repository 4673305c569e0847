import CanonicalJSON
import DatasetFormat
import Imaging
import Testing

struct FilterRulesTests {
  private func scores(
    brightness: Double = 0.5, contrast: Double = 0.2, clipped: Double = 0, hash: UInt64 = 0,
    isFinite: Bool = true
  ) -> SampleRecord.Scores {
    .init(
      isFinite: isFinite, brightness: brightness, contrast: contrast, clipped: clipped,
      hash: PictureHash(bits: hash))
  }

  private func entity(_ name: String = "dog") -> SampleRecord.Entity {
    .init(
      name: name, classID: 1, words: name, isNamed: true, isPresent: true, presence: 0.5,
      area: 0.5, confidence: 0.5, edgeConfidence: 0.5, parts: 2, touchesBorder: true,
      agreement: 0.5)
  }

  private func record(_ index: Int, hash: UInt64) -> SampleRecord {
    SampleRecord(
      index: index, prompt: "", seed: 0, steps: 1, guidance: 1, scheduler: "ddim", width: 8,
      height: 8, scores: scores(hash: hash))
  }

  private func reasons(
    _ rules: FilterRules, _ scores: SampleRecord.Scores, _ entities: [SampleRecord.Entity] = []
  ) -> [String] {
    rules.reasons(
      scores: scores, entities: entities, acceptedHashes: EmptyCollection<PictureHash>())
  }

  @Test func somePicturesAreNeverAccepted() {
    let rules = FilterRules()
    #expect(reasons(rules, scores()) == [])
    #expect(reasons(rules, scores(isFinite: false)) == ["not-finite"])
    #expect(reasons(rules, scores(brightness: 0, contrast: 0)) == ["black", "flat"])
    #expect(reasons(rules, scores(brightness: 1, contrast: 0.1)) == ["white"])
    #expect(reasons(rules, scores(contrast: 0.003)) == ["flat"])
  }

  @Test func measuredPicturesOfOneColourAreRejected() throws {
    for grey: UInt8 in [0, 1, 128, 254, 255] {
      var picture = try PixelImage(
        width: 16, height: 16, filledWith: Colour(grey, grey, grey))
      #expect(reasons(FilterRules(), .init(of: picture)).contains("flat"))
      // A speck in it does not make it a picture.
      picture[4, 4] = Colour(128, 0, 255)
      #expect(!reasons(FilterRules(), .init(of: picture)).isEmpty || grey == 128)
    }
    let ramp = try PixelImage(
      width: 16, height: 16, channels: .grey, samples: (0..<256).map { UInt8($0) })
    #expect(reasons(FilterRules(), .init(of: ramp)).isEmpty)
  }

  @Test func eachBoundRejectsWhatIsBeyondItAndNothingElse() {
    typealias Change = (inout EntityRules) -> Void
    let bounds: [(String, at: Change, beyond: Change)] = [
      ("presence", { $0.minPresence = 0.5 }, { $0.minPresence = 0.51 }),
      ("confidence", { $0.minConfidence = 0.5 }, { $0.minConfidence = 0.51 }),
      ("edge", { $0.minEdgeConfidence = 0.5 }, { $0.minEdgeConfidence = 0.51 }),
      ("area", { $0.minArea = 0.5 }, { $0.minArea = 0.51 }),
      ("area", { $0.maxArea = 0.5 }, { $0.maxArea = 0.49 }),
      ("parts", { $0.maxParts = 2 }, { $0.maxParts = 1 }),
      ("border", { $0.allowsBorder = true }, { $0.allowsBorder = false }),
      ("agreement", { $0.minAgreement = 0.5 }, { $0.minAgreement = 0.51 }),
    ]
    for (name, at, beyond) in bounds {
      var rules = FilterRules()
      at(&rules.entities)
      #expect(reasons(rules, scores(), [entity()]) == [])
      beyond(&rules.entities)
      #expect(
        reasons(rules, scores(), [entity(), entity("cat")]) == ["\(name):dog", "\(name):cat"])
      // A class's own rules stand in place of the common ones.
      rules.classes["cat"] = EntityRules()
      #expect(reasons(rules, scores(), [entity(), entity("cat")]) == ["\(name):dog"])
      var absent = entity()
      absent.isPresent = false
      #expect(reasons(rules, scores(), [absent]) == [])
    }
  }

  @Test func whatThePromptNamesMustBeThereWhereTheRulesSaySo() {
    var rules = FilterRules()
    rules.entities.requiresNamed = true
    var absent = entity("traffic light")
    absent.isPresent = false
    #expect(reasons(rules, scores(), [absent]) == ["absent:traffic light"])
    absent.isNamed = false
    #expect(reasons(rules, scores(), [absent]) == [])
  }

  @Test func anAgreementThatWasNotMeasuredRejectsNothing() {
    var rules = FilterRules()
    rules.entities.minAgreement = 1
    var one = entity()
    one.agreement = nil
    #expect(rules.needsAgreement && reasons(rules, scores(), [one]) == [])
  }

  @Test func ofNearDuplicatesTheHigherIndexIsRejected() {
    var rules = FilterRules()
    rules.duplicateDistance = 2
    let decided = rules.deciding([
      record(0, hash: 0b0000), record(1, hash: 0b0111), record(2, hash: 0b0011),
      record(3, hash: 0b1111), record(4, hash: 0b1111_1111),
    ])
    // Sample 2 is near 0 and 1, 3 is near 1 alone; rejected ones make no others duplicates.
    #expect(
      decided.map(\.reasons) == [[], [], ["duplicate"], ["duplicate"], []])
    for (position, record) in decided.enumerated() {
      #expect(rules.reasons(for: record, among: decided[..<position]) == record.reasons)
      // The order in which earlier samples are handed in cannot show, nor later ones.
      #expect(rules.reasons(for: record, among: decided.reversed()) == record.reasons)
    }
    rules.duplicateDistance = nil
    #expect(rules.deciding(decided).allSatisfy { $0.isAccepted })
  }

  @Test func rulesComeBackAsTheyWere() throws {
    var rules = FilterRules.usual(hasMasks: true, hasFlipCheck: true)
    rules.classes["dog"] = rules.entities
    rules.classes["dog"]?.maxParts = 3
    rules.classes["dog"]?.minArea = nil
    for one in [rules, FilterRules(), .usual(hasMasks: false)] {
      #expect(try FilterRules(json: one.json) == one)
      #expect(try FilterRules(json: [:], changing: one) == one)
      #expect(try JSONValue.parse(Array(one.json.canonicalText.utf8)) != .null)
    }
    // A class's own rules begin with the common ones.
    let changed = try FilterRules(json: [
      "classes": ["cat": ["border": false]], "entities": ["min_area": 0.25],
    ])
    #expect(
      changed.classes["cat"]?.minArea == 0.25 && changed.classes["cat"]?.allowsBorder == false)
    #expect(changed.entities.allowsBorder)
    let off = try FilterRules(json: ["entities": ["min_area": nil]], changing: rules)
    #expect(off.entities.minArea == nil && off.entities.maxArea == rules.entities.maxArea)
  }

  @Test(
    arguments: [
      (["attempts": 0], "attempts"), (["attempts": nil], "attempts"), (["attempt": 1], "attempt"),
      (["picture": ["min_contrast": 1.5]], "picture.min_contrast"),
      (["picture": ["duplicate_distance": 64]], "picture.duplicate_distance"),
      (["picture": 3], "picture"), (["entities": ["border": "no"]], "entities.border"),
      (["entities": ["min_area": 0.5, "max_area": 0.4]], "entities.min_area"),
      (["classes": ["dog": ["max_parts": 0.5]]], "classes.dog.max_parts"),
      (["classes": ["dog": ["area": 1]]], "classes.dog.area"), ([1], ""),
    ] as [(JSONValue, String)])
  func wrongRulesAreRefusedWithTheirKey(_ json: JSONValue, _ key: String) {
    do {
      _ = try FilterRules(json: json)
      Issue.record("\(json.text) was accepted")
    } catch {
      #expect(error as? FilterRules.Fault != nil)
      #expect((error as? FilterRules.Fault)?.keyPath.joined(separator: ".") == key)
    }
  }

  @Test func classesThatTheRunHasNotAreRefused() throws {
    var rules = FilterRules()
    rules.classes = ["dog": EntityRules(), "dgo": EntityRules()]
    let table = try ClassTable([.init(id: 1, name: "dog")])
    #expect(throws: FilterRules.Fault.self) { try rules.check(against: table) }
    rules.classes["dgo"] = nil
    try rules.check(against: table)
  }
}
