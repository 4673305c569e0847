import MaskGrounding
import Testing

@Suite struct EntityTests {
  @Test func anEntityIsNamedWhereThePromptMentionsIt() {
    var entity = Entity(name: "tvmonitor", classID: 20, words: "tv")
    #expect(!entity.isNamed)
    entity.mention = 8..<10
    #expect(entity.isNamed)
  }
}
