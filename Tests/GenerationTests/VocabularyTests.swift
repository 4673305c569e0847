import Generation
import Testing

@Suite struct VocabularyTests {
  @Test(arguments: [
    ("voc", 20, "aeroplane", "tvmonitor"), ("coco", 80, "person", "toothbrush"),
    ("ade", 150, "wall", "flag"), ("objectworld48", 48, "airplane", "zebra"),
    ("objectworld20", 20, "airplane", "tv"), ("objectworld", 276, "abalone", "zebu"),
  ])
  func presetsHaveTheirClassesInOrder(name: String, count: Int, first: String, last: String) throws
  {
    let classes = try checkoutLibrary().vocabulary(name).classes
    #expect(classes.count == count)
    #expect(classes.first?.name == first)
    #expect(classes.last?.name == last)
  }

  @Test func aNameAndItsWordsMayDiffer() throws {
    let voc = try checkoutLibrary().vocabulary("voc").classes
    let table = try #require(voc.first { $0.name == "diningtable" })
    #expect(table.phrase == "a dining table")
    #expect(table.aliases == ["dining table", "table"])
  }

  @Test func commaListsFilesAndTextFilesAreRead() throws {
    let library = try checkoutLibrary()
    #expect(
      try library.vocabulary(" dog, red  mug ,cat,").classes.map(\.name) == [
        "dog", "red  mug", "cat",
      ])
    #expect(try library.vocabulary("dog,").classes.map(\.name) == ["dog"])
    let text = try vocabulary("# things\ndog\n\n mug \n", suffix: "txt")
    #expect(text.classes.map(\.name) == ["dog", "mug"])
    let file = try vocabulary("classes:\n  - {name: ox, split: unseen}\n  - dog\n")
    #expect(file.classes.map(\.split) == [.unseen, .undecided])
    #expect(file.classes.first?.phrase == "an ox")
  }

  @Test func unknownPresetsNameTheKnownOnes() throws {
    #expect(throws: GenerationError.self) { try checkoutLibrary().vocabulary("vocc") }
    do {
      _ = try checkoutLibrary().vocabulary("vocc")
    } catch {
      #expect(
        "\(error)".contains(
          "ade, coco, coco-20i, objectworld, objectworld20, objectworld48, pascal-context-59, voc, voc-20b"
        ))
    }
  }

  @Test(arguments: [
    "classes:\n  - dog\n  - dog\n", "classes: []\n", "classes:\n  - {words: dog}\n",
    "classes:\n  - {name: dog, split: maybe}\n", "classes:\n  - \"do\\tg\"\n", "classes: dog\n",
    "classes:\n  - \"a,b\"\n", "classes:\n  - [dog]\n", "- dog\n", "classes:\n  - \"\"\n",
  ])
  func brokenVocabulariesAreRefused(text: String) {
    #expect(throws: GenerationError.self) { try vocabulary(text) }
  }

  @Test(arguments: [
    (
      "classes:\n  - {name: a, aliases: [b]}\n  - b\n",
      ":2: the alias \"b\" of \"a\" is also a name of \"b\""
    ),
    ("classes:\n  - {name: a, aliases: [x]}\n  - {name: b, aliases: [x]}\n", ":3: the alias \"x\""),
    ("classes:\n  - {name: a, plurals: b}\n", "unknown key \"plurals\""),
    ("classes:\n  - dog\n  - cat\n  - dog\n", ":4: the class \"dog\" stands twice"),
  ])
  func ambiguousNamesAreNamedWithTheirLine(text: String, part: String) {
    do {
      _ = try vocabulary(text)
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains(part), "\(error)")
    }
  }

  @Test(arguments: [
    ("voc", "voc1", 15, 5), ("voc", "voc2", 15, 5), ("voc", "voc3", 15, 5),
    ("coco", "coco-65-15", 65, 15), ("objectworld48", "objectworld48", 42, 6),
    ("objectworld20", "objectworld20", 18, 2), ("objectworld", "objectworld", 207, 69),
  ])
  func splitsMarkEveryClass(list: String, name: String, seen: Int, unseen: Int) throws {
    let library = try checkoutLibrary()
    let classes = try library.vocabulary(list).splitting(by: library.split(name)).classes
    #expect(classes.count { $0.split == .seen } == seen)
    #expect(classes.count { $0.split == .unseen } == unseen)
  }

  @Test func theThreeSplitsOfVocShareNoUnseenClass() throws {
    let library = try checkoutLibrary()
    let unseen = try ["voc1", "voc2", "voc3"].flatMap { name in
      try library.vocabulary("voc").splitting(by: library.split(name)).classes
        .filter { $0.split == .unseen }.map(\.name)
    }
    #expect(Set(unseen).count == 15)
    #expect(unseen.prefix(5).sorted() == ["car", "dog", "sofa", "train", "tvmonitor"])
  }

  @Test func aSplitOfOnesOwnHasTwoSides() throws {
    let list = try Vocabulary(list: "dog,cat,mug")
    func sides(_ text: String) throws -> [VocabularyClass.Split] {
      try list.splitting(by: classSplit(text)).classes.map(\.split)
    }
    #expect(try sides("unseen: [cat]\n") == [.seen, .unseen, .seen])
    #expect(try sides("seen: [cat]\n") == [.unseen, .seen, .unseen])
    #expect(try sides("seen: [cat]\nunseen: [dog]\n") == [.unseen, .seen, .undecided])
    let only = try list.splitting(by: classSplit("unseen: [cat]\n")).naming(only: .seen)
    #expect(only.weights == [1, 0, 1] && only.classes.count == 3)
    #expect(throws: GenerationError.self) { try list.naming(only: .seen) }
  }

  @Test(arguments: [
    (
      "vocabulary: voc\nunseen:\n  - cat\n  - owl\n",
      ":4: the vocabulary list has no class \"owl\"; the split was made for voc"
    ),
    ("seen: [cat]\nunseen: [cat]\n", ":2: the class \"cat\" stands twice"),
    ("unseen: []\n", "the list is empty"), ("note: x\n", "expected the key"),
    ("unseen: cat\n", "found text"), ("hidden: [cat]\n", "unknown key \"hidden\""),
  ])
  func brokenSplitsAreNamedWithTheirLine(text: String, part: String) throws {
    do {
      _ = try Vocabulary(list: "dog,cat,mug").splitting(by: classSplit(text))
      Issue.record("accepted")
    } catch {
      #expect("\(error)".contains(part), "\(error)")
    }
  }

  @Test func brokenListsAreRefused() throws {
    for list in [",", " , ", "dog,dog", "do\ng,cat"] {
      #expect(throws: GenerationError.self) { try checkoutLibrary().vocabulary(list) }
    }
  }
}
