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

  /// The samples of one template, one a class in the vocabulary's order, with a fixed count and adjective.
  private func said(
    _ template: String, _ list: Vocabulary, count: Int = 1, adjective: String = "none"
  ) throws -> [GenerationPlan.Sample] {
    let set = try templateSet(
      """
      templates: ["\(template)"]
      slots: {view: [image], kind: [old]}
      counts: [\(count)]
      adjectives: [\(adjective)]
      """)
    let plan = try GenerationPlan(
      source: .vocabulary(list, set, objects: ObjectCounts(1...1)), count: list.classes.count,
      seed: 0)
    return (0..<plan.count).map(plan.sample).sorted { $0.classes[0] < $1.classes[0] }
  }

  @Test(arguments: [
    (
      "a {view} of {objects} in a {kind} room", 1, "old",
      [
        "an image of an old mug in an old room",
        "an image of a pair of old scissors in an old room",
        "an image of old broccoli in an old room",
      ]
    ),
    (
      "a {view} of {objects} in a {kind} room", 3, "old",
      [
        "an image of three old mugs in an old room",
        "an image of three pairs of old scissors in an old room",
        "an image of old broccoli in an old room",
      ]
    ),
    (
      "An {adjective} {object}", 2, "old", ["An old mug", "A pair of old scissors", "Old broccoli"]
    ),
    ("An {adjective} {object}", 2, "none", ["A mug", "A pair of scissors", "Broccoli"]),
    (
      "two of {count} {adjective} {object}", 1, "new",
      ["two of a new mug", "two of a pair of new scissors", "two of new broccoli"]
    ),
    ("a {count} {object}", 2, "old", ["two mugs", "two pairs of scissors", "broccoli"]),
    ("the {object}", 2, "old", ["the mug", "the scissors", "the broccoli"]),
  ])
  func articlesCountsAndAdjectivesAgree(
    template: String, count: Int, adjective: String, expected: [String]
  ) throws {
    let list = try vocabulary(
      """
      classes:
        - mug
        - {name: scissors, article: a pair of}
        - {name: broccoli, article: none}
      """)
    let samples = try said(template, list, count: count, adjective: adjective)
    #expect(samples.map(\.prompt) == expected)
    for sample in samples {
      let mention = sample.mentions[0]
      #expect(Array(sample.prompt.utf8)[mention.range].elementsEqual(mention.words.utf8))
    }
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
    #expect(
      try said("{objects}", list, count: 3).map(\.prompt) == [
        "three people", "three knives", "three sheep", "three cactuses", "a lego", "the sky",
        "three cups of tea", "three potted plants", "three chests of drawers", "three city buses",
      ])
  }

  @Test func everyClassOfEveryVocabularyIsSaidRight() throws {
    let library = try checkoutLibrary()
    for list in library.presets("vocabularies") {
      let vocabulary = try library.vocabulary(list)
      for (count, adjective) in [
        (1, "none"), (2, "none"), (4, "none"), (1, "old"), (3, "old"), (1, "new"),
      ] {
        let samples = try said("{objects}", vocabulary, count: count, adjective: adjective)
        for (sample, one) in zip(samples, vocabulary.classes) {
          let words = sample.prompt.split(separator: " ").map(String.init)
          // "a" stands before no vowel and "an" before no consonant but by sound.
          for (first, second) in zip(words, words.dropFirst()) where ["a", "an"].contains(first) {
            let isVowel = second.first.map { "aeiou".contains($0) } == true
            let isException = second.hasPrefix("urinal")
            #expect((first == "an") == (isVowel != isException), "\(sample.prompt)")
          }
          let mention = sample.mentions[0]
          let isMeasured = one.article.hasSuffix(" of")
          #expect(mention.words == (mention.count > 1 && !isMeasured ? one.plural : one.words))
          #expect(mention.count == (one.isCountable ? count : 1))
          #expect(sample.prompt.hasSuffix(mention.words))
          #expect(adjective == "none" || words.contains(adjective), "\(sample.prompt)")
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
