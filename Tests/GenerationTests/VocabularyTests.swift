import Generation
import Testing

@Suite struct VocabularyTests {
  @Test(arguments: [
    ("voc", 20, "aeroplane", "tvmonitor"), ("coco", 80, "person", "toothbrush"),
    ("ade", 150, "wall", "flag"), ("objectworld", 48, "airplane", "zebra"),
    ("objectworld20", 20, "airplane", "tv"),
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
    #expect(table.aliases == ["table"])
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
      #expect("\(error)".contains("ade, coco, objectworld, objectworld20, voc"))
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

  @Test func brokenListsAreRefused() throws {
    for list in [",", " , ", "dog,dog", "do\ng,cat"] {
      #expect(throws: GenerationError.self) { try checkoutLibrary().vocabulary(list) }
    }
  }
}
