import Generation
import Testing

@Suite struct TemplateTests {
  private func words(_ set: TemplateSet, _ names: String...) throws -> [String] {
    let objects = try names.map { try VocabularyClass(name: $0, place: "test") }
    return set.templates.map { $0.filled(with: objects) { set.slots[$0]?.words.first ?? "?" } }
  }

  @Test func theImageNetSetHoldsTheEightyPublishedSentences() throws {
    let set = try checkoutLibrary().templates("imagenet80")
    #expect(set.templates.count == 80)
    #expect(Set(set.templates.map(\.text)).count == 80)
    #expect(set.templates.first?.text == "a bad photo of a {object}.")
    #expect(set.templates.last?.text == "a tattoo of the {object}.")
    #expect(set.templates.filter { $0.text.hasPrefix("itap of") }.count == 3)
  }

  @Test func everyShippedTemplateFillsWithEveryShippedClass() throws {
    let library = try checkoutLibrary()
    for name in library.presets("prompts") {
      let set = try library.templates(name)
      for list in library.presets("vocabularies") {
        for one in try library.vocabulary(list).classes {
          for template in set.templates {
            let prompt = template.filled(with: [one]) { set.slots[$0]?.words.first ?? "{" }
            #expect(!prompt.contains("{") && !prompt.contains("  ") && prompt.contains(one.words))
          }
        }
      }
    }
  }

  @Test func articlesFitTheWordThatFollows() throws {
    let set = try templateSet(
      """
      templates:
        - a photo of a {object}.
        - "An {object} in a room"
        - the {object}
        - data {object}
        - "{objects}"
      """)
    #expect(
      try words(set, "apple") == [
        "a photo of an apple.", "An apple in a room", "the apple", "data apple", "an apple",
      ])
    #expect(try words(set, "unicycle").first == "a photo of a unicycle.")
    #expect(try words(set, "hourglass").first == "a photo of an hourglass.")
    #expect(try words(set, "umbrella").first == "a photo of an umbrella.")
    let coco = try checkoutLibrary().vocabulary("coco").classes
    let scissors = try #require(coco.first { $0.name == "scissors" })
    let broccoli = try #require(coco.first { $0.name == "broccoli" })
    #expect(set.templates[0].filled(with: [scissors]) { $0 } == "a photo of a pair of scissors.")
    #expect(set.templates[2].filled(with: [scissors]) { $0 } == "the scissors")
    #expect(set.templates[0].filled(with: [broccoli]) { $0 } == "a photo of broccoli.")
  }

  @Test func severalObjectsAreJoinedAsPeopleDo() throws {
    let set = try templateSet("templates:\n  - a photo of {objects}\n")
    #expect(try words(set, "dog", "ear") == ["a photo of a dog and an ear"])
    #expect(try words(set, "dog", "ear", "mug") == ["a photo of a dog, an ear and a mug"])
  }

  @Test(arguments: [
    ("templates:\n  - a photo\n", ":2: template \"a photo\": found 0 object slots"),
    ("templates:\n  - ok {object}\n  - \"{object} {objects}\"\n", ":3: template"),
    ("templates:\n  - a {object} {where}\n", "unknown slot {where}; known are object, objects"),
    ("templates:\n  - \"a {object\"\n", "a brace has no partner"),
    ("templates:\n  - \"a }{ {object}\"\n", "a brace has no partner"),
    ("templates: []\n", "the list is empty"),
    ("templates:\n  - {text: \"{object}\", weight: 0}\n", ":2: weight: found 0"),
    ("templates:\n  - {text: \"{object}\", weight: .nan}\n", ":2: weight: found .nan"),
    ("templates:\n  - {weight: 1}\n", ":2: the key \"text\" is missing"),
    ("templates:\n  - {text: a, wieght: 1}\n", ":2: template: unknown key \"wieght\""),
    ("slots:\n  object: [a]\ntemplates: [\"{object}\"]\n", ":2: the slot name object is taken"),
    ("prompts: [a]\n", ":1: prompt templates: unknown key \"prompts\""),
    ("slots: {a: [b]}\n", "the key \"templates\" is missing"),
  ])
  func brokenTemplateFilesAreNamedWithTheirLine(text: String, part: String) {
    do {
      _ = try templateSet(text)
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains(part), "\(error)")
    }
  }
}
