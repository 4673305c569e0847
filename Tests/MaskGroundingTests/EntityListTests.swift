import MaskGrounding
import Testing

@Suite struct EntityListTests {
  @Test func namesAreReadWithWhiteSpaceInOrder() throws {
    #expect(try EntityList.parse("dog, potted   plant ,TV") == ["dog", "potted plant", "TV"])
  }

  @Test func idsFollowTheOrderFromOne() throws {
    let entities = try EntityList.entities(["owl", "mug"])
    #expect(entities.map(\.classID) == [1, 2])
    #expect(entities.map(\.name) == ["owl", "mug"])
    #expect(entities.allSatisfy { !$0.isNamed })
  }

  @Test func asManyAsAMaskHasIDsAreTaken() throws {
    let names = (1...EntityList.limit).map { "thing \($0)" }
    #expect(try EntityList.entities(names).last?.classID == LabelLimit.highestID)
    #expect(throws: EntityError.self) { try EntityList.checked(names + ["one more"]) }
    #expect(try EntityList.parse(names.prefix(200).joined(separator: ",")).count == 200)
  }

  @Test(arguments: [
    ("", "no entity"), (" , ", "no entity"), ("dog,,cat", "entity 2 of 3 is empty"),
    ("dog,cat,", "entity 3 of 3 is empty"), ("dog,cat,DOG", "named twice"),
    ("Caf\u{e9},cafe\u{301}", "named twice"), ("potted plant,potted  plant", "named twice"),
    ("dog,a\u{7}b", "control character"), ("dog,a\u{2028}b", "control character"),
    (String(repeating: "x", count: 201), "at most 200"),
  ])
  func aMistakeGetsOneLine(text: String, expected: String) {
    let error = #expect(throws: EntityError.self) { try EntityList.parse(text) }
    let line = error?.description ?? ""
    #expect(line.contains(expected), "\(line)")
    #expect(!line.contains { $0.isNewline })
    #expect(line.utf8.count < 200)
  }

  private enum LabelLimit {
    static let highestID = 254
  }
}
