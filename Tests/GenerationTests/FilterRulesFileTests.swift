import DatasetFormat
import Generation
import Testing

struct FilterRulesFileTests {
  private func rules(_ text: String) throws -> FilterRules {
    try FilterRulesFile.rules(
      YAMLNode.parse(Array(text.utf8), file: "rules.yaml"), changing: .usual(hasMasks: true))
  }

  @Test func whatTheFileSaysHoldsAndTheRestStays() throws {
    let rules = try rules(
      """
      attempts: 7
      picture: {duplicate_distance: off, min_contrast: 0.125}
      entities:
        max_parts: 3
        min_area: ~
      classes:
        traffic light: {border: false, min_area: 0.25}
      """)
    var expected = FilterRules.usual(hasMasks: true)
    expected.attempts = 7
    expected.duplicateDistance = nil
    expected.minContrast = 0.125
    expected.entities.maxParts = 3
    expected.entities.minArea = nil
    expected.classes["traffic light"] = expected.entities
    expected.classes["traffic light"]?.allowsBorder = false
    expected.classes["traffic light"]?.minArea = 0.25
    #expect(rules == expected)
  }

  @Test(arguments: [
    ("attempts: 1\nattempt: 2", "rules.yaml:2"), ("picture:\n  max_clipped: -1", "rules.yaml:2"),
    ("entities:\n  border: true\n\n  max_parts: 0", "rules.yaml:4"),
    ("entities: {}\nclasses:\n  dog:\n    min_presence: high", "rules.yaml:4"),
    ("classes: [dog]", "rules.yaml:1"), ("3", "rules.yaml:1"),
  ])
  func aWrongRuleIsNamedWithItsLine(_ text: String, _ place: String) {
    do {
      _ = try rules(text)
      Issue.record("\(text) was accepted")
    } catch {
      #expect((error as? GenerationError)?.code == .malformed)
      #expect((error as? GenerationError)?.place == place)
    }
  }
}
