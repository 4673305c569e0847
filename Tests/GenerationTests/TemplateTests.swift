@testable import Generation
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

  @Test(arguments: [
    ("apple", "an"), ("hourglass", "an"), ("honest man", "an"), ("heirloom", "an"), ("house", "a"),
    ("unicycle", "a"), ("unimportant box", "an"), ("umbrella", "an"), ("used car", "a"),
    ("urinal", "a"), ("urn", "an"), ("utensil", "a"), ("European shirt", "a"), ("ewe", "a"),
    ("one-way sign", "a"), ("onion", "an"), ("x-ray", "an"), ("t-shirt", "a"), ("u-turn sign", "a"),
    ("SUV", "an"), ("TV", "a"), ("UFO", "a"), ("tv", "a"), ("yak", "a"), ("8-ball", "an"),
    ("18-wheeler", "an"), ("11 mugs", "an"), ("100 mugs", "a"), ("éclair", "an"), ("犬", "a"),
    ("ouija board", "a"), ("owl", "an"), ("iguana", "an"),
  ])
  func articlesFollowTheSound(words: String, article: String) throws {
    #expect(
      try VocabularyClass(name: words, place: "test").phrase == "\(article) \(words)")
  }

  @Test func articlesAgreeWithSlotsToo() throws {
    let set = try templateSet(
      """
      templates:
        - "a {view} of {objects} in a {kind} room"
        - "An {adjective} {object}"
        - a photo of {count} {adjective} {object}
        - a photo of a {count} {object}
      slots:
        view: [image]
        kind: [old]
      adjectives: [old]
      counts: [2]
      """)
    let classes = try checkoutLibrary().vocabulary("coco").classes
    let mug = try VocabularyClass(name: "mug", place: "test")
    let scissors = try #require(classes.first { $0.name == "scissors" })
    let broccoli = try #require(classes.first { $0.name == "broccoli" })
    func prompts(_ one: VocabularyClass, count: Int, adjective: String?) -> [String] {
      set.templates.map {
        $0.filled(
          with: [PromptText.Object(position: 0, named: one, count: count, adjective: adjective)],
          slot: { set.slots[$0]?.words.first ?? "?" }
        ).text
      }
    }
    #expect(
      prompts(mug, count: 1, adjective: "old") == [
        "an image of an old mug in an old room", "An old mug", "a photo of an old mug",
        "a photo of a mug",
      ])
    #expect(
      prompts(mug, count: 2, adjective: "old") == [
        "an image of two old mugs in an old room", "An old mug", "a photo of two old mugs",
        "a photo of two mugs",
      ])
    #expect(
      prompts(scissors, count: 3, adjective: "old") == [
        "an image of three pairs of old scissors in an old room", "A pair of old scissors",
        "a photo of three pairs of old scissors", "a photo of three pairs of scissors",
      ])
    #expect(
      prompts(scissors, count: 1, adjective: nil)[2...] == [
        "a photo of a pair of scissors", "a photo of a pair of scissors",
      ])
    #expect(
      prompts(broccoli, count: 3, adjective: "old") == [
        "an image of old broccoli in an old room", "Old broccoli", "a photo of old broccoli",
        "a photo of broccoli",
      ])
    #expect(prompts(broccoli, count: 1, adjective: nil)[1] == "Broccoli")
  }

  @Test func pluralsAreThoseOfTheLanguageOrOfTheFile() throws {
    let list = try vocabulary(
      """
      classes:
        - person
        - knife
        - sheep
        - {name: cactus, plural: cactuses}
        - {name: lego, plural: none}
        - {name: sky, article: the}
        - {name: tea, article: a cup of}
        - potted plant
        - chest of drawers
        - {name: bus, words: city bus}
      """)
    let three = list.classes.map { one in
      var text = PromptText()
      text.append(PromptText.Object(position: 0, named: one, count: 3), withArticle: true)
      return text.text
    }
    #expect(
      three == [
        "three people", "three knives", "three sheep", "three cactuses", "a lego", "the sky",
        "three cups of tea", "three potted plants", "three chests of drawers", "three city buses",
      ])
  }

  @Test func everyClassOfEveryVocabularyIsSaidRight() throws {
    let library = try checkoutLibrary()
    for list in library.presets("vocabularies") {
      for one in try library.vocabulary(list).classes {
        for count in 1...4 {
          for adjective in [nil, "old", "new"] {
            var text = PromptText()
            text.append(
              PromptText.Object(position: 5, named: one, count: count, adjective: adjective),
              withArticle: true)
            let words = text.text.split(separator: " ").map(String.init)
            // "a" stands before no vowel and "an" before no consonant but by sound.
            for (first, second) in zip(words, words.dropFirst()) where ["a", "an"].contains(first) {
              let isVowel = second.first.map { "aeiou".contains($0) } == true
              let isException = ["urinal", "hour"].contains { second.hasPrefix($0) }
              #expect((first == "an") == (isVowel != isException), "\(text.text)")
            }
            let mention = try #require(text.mentions.first)
            #expect(
              mention.words == (mention.count > 1 && one.measure == nil ? one.plural : one.words))
            #expect(mention.count == (one.isCountable ? count : 1))
            #expect(text.text.hasSuffix(mention.words))
            #expect(adjective == nil || words.contains(adjective ?? ""))
          }
        }
      }
    }
  }

  @Test func severalObjectsAreJoinedAsPeopleDo() throws {
    let set = try templateSet("templates:\n  - a photo of {objects}\n")
    #expect(try words(set, "dog", "ear") == ["a photo of a dog and an ear"])
    #expect(try words(set, "dog", "ear", "mug") == ["a photo of a dog, an ear and a mug"])
  }

  @Test(arguments: [
    ("templates:\n  - a photo\n", ":2: template \"a photo\": found 0 object slots"),
    ("templates:\n  - ok {object}\n  - \"{object} {objects}\"\n", ":3: template"),
    (
      "templates:\n  - a {object} {where}\n",
      "unknown slot {where}; known are object, objects, adjective, count"
    ),
    ("templates:\n  - \"a {object\"\n", "a brace has no partner"),
    ("templates:\n  - \"a }{ {object}\"\n", "a brace has no partner"),
    ("templates: []\n", "the list is empty"),
    ("templates:\n  - {text: \"{object}\", weight: 0}\n", ":2: weight: found 0"),
    ("templates:\n  - {text: \"{object}\", weight: .nan}\n", ":2: weight: found .nan"),
    ("templates:\n  - {weight: 1}\n", ":2: the key \"text\" is missing"),
    ("templates:\n  - {text: a, wieght: 1}\n", ":2: template: unknown key \"wieght\""),
    ("slots:\n  object: [a]\ntemplates: [\"{object}\"]\n", ":2: the slot name object is taken"),
    ("templates: [\"{adjective} x {object}\"]\n", "stand right before {object}"),
    ("templates: [\"{object} {count}\"]\n", "stand right before {object}"),
    ("templates: [\"{adjective} {count} {object}\"]\n", "in this order"),
    ("templates: [\"{objects}\"]\ncounts: [0]\n", ":2: counts: found 0"),
    ("templates: [\"{objects}\"]\ncounts: [11]\n", ":2: counts: found 11"),
    ("templates: [\"{objects}\"]\ncounts: [two]\n", ":2: counts: found two"),
    ("templates: [\"{objects}\"]\nslots: {count: [a]}\n", "the slot name count is taken"),
    ("templates: [\"{objects}\"]\nadjectives: [{text: a, weight: -1}]\n", ":2: weight: found -1"),
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
