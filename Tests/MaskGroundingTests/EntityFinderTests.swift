import MaskGrounding
import Testing

@Suite struct EntityFinderTests {
  private func entities(_ names: String...) -> [Entity] {
    names.enumerated().map { Entity(name: $1, classID: $0 + 1, words: $1) }
  }

  private func found(_ prompt: String, _ names: String...) -> [String] {
    let entities = names.enumerated().map { Entity(name: $1, classID: $0 + 1, words: $1) }
    return EntityFinder(entities).mentions(in: prompt).map { "\(names[$0.index]): \($0.words)" }
  }

  @Test func wholeWordsAreFoundInAnyCase() {
    #expect(found("A DOG and a dogma", "dog") == ["dog: DOG"])
    #expect(found("the dog's owner, dog2, (dog)", "dog") == ["dog: dog", "dog: dog"])
    #expect(found("hotdog", "dog").isEmpty)
  }

  @Test func pluralsAreFoundBothWays() {
    #expect(
      found("an owl and two mugs, three buses", "mug", "bus", "owl") == [
        "owl: owl", "mug: mugs", "bus: buses",
      ])
    #expect(
      found("two people, a knife", "person", "knives") == ["person: people", "knives: knife"])
    #expect(found("cups of tea", "cup of tea") == ["cup of tea: cups of tea"])
  }

  @Test func theLongestWordingWins() {
    #expect(
      found("a hot dog and a dog", "dog", "hot dog") == ["hot dog: hot dog", "dog: dog"])
    // "wine glass bottle": the longer of two that overlap, wherever it begins.
    #expect(
      found("big teddy bear cub", "big teddy", "teddy bear cub") == [
        "teddy bear cub: teddy bear cub"
      ])
  }

  @Test func wordsMayBeApartByAnyWhiteSpaceOrAHyphen() {
    #expect(found("a potted\n\t plant", "potted plant") == ["potted plant: potted\n\t plant"])
    #expect(found("a potted-plant", "potted plant") == ["potted plant: potted-plant"])
    #expect(found("a t shirt", "t-shirt") == ["t-shirt: t shirt"])
    #expect(found("a potted, plant", "potted plant").isEmpty)
    #expect(found("an owl-like dog", "owl", "dog") == ["dog: dog"])
    #expect(found("dog - owl", "dog", "owl") == ["dog: dog", "owl: owl"])
  }

  @Test func synonymsComeAfterWords() {
    let all = [
      Entity(name: "sofa", classID: 1, words: "sofa", synonyms: ["couch", "bench"]),
      Entity(name: "bench", classID: 2, words: "bench"),
    ]
    let finder = EntityFinder(all)
    #expect(finder.mentions(in: "a bench").map(\.index) == [1])
    let located = finder.located(in: "couches before a sofa")
    #expect(located[0].words == "sofa" && located[0].mention == 17..<21)
    #expect(located[1].mention == nil && located[1].words == "bench")
    let other = finder.located(in: "Couches")
    #expect(other[0].words == "Couches" && other[0].mention == 0..<7 && other[0].name == "sofa")
  }

  @Test func rangesAreBytesOfThePrompt() throws {
    let prompt = "ein Bär 🦉 und ein e\u{301}cureuil"
    let all = entities("Bär", "🦉", "\u{e9}cureuil")
    let located = EntityFinder(all).located(in: prompt)
    let bytes = Array(prompt.utf8)
    let words = try located.map { String(decoding: bytes[try #require($0.mention)], as: UTF8.self) }
    #expect(words == ["Bär", "🦉", "e\u{301}cureuil"])
  }

  @Test func aClassInThePluralIsNotTakenForAnothers() {
    #expect(found("two glasses", "glass", "glasses") == ["glasses: glasses"])
    #expect(found("a glass", "glasses", "glass") == ["glass: glass"])
  }

  @Test func nothingIsFoundInNothing() {
    #expect(found("", "dog").isEmpty)
    #expect(EntityFinder([]).mentions(in: "a dog").isEmpty)
    #expect(EntityFinder(entities("", "-")).mentions(in: "a dog - b").map(\.index) == [1])
  }

  @Test func manyEntitiesInALongPromptAreFound() {
    let names = (0..<200).map { "thing\($0) part" }
    let entities = names.enumerated().map { Entity(name: $1, classID: $0 + 1, words: $1) }
    let prompt = names.map { "a \($0)," }.joined(separator: " ")
    #expect(EntityFinder(entities).mentions(in: prompt).map(\.index) == Array(0..<200))
  }
}
