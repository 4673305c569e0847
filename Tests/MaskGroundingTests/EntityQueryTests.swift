import CanonicalJSON
import MaskGrounding
import TensorCore
import TestSupport
import Testing

/// Queries beside transformers' CLIPTextModel (Tests/Fixtures/masks/generate.py).
@Suite struct EntityQueryTests {
  private func builder(
    _ settings: EntityQueryBuilder.Settings = .init()
  ) throws -> EntityQueryBuilder {
    try EntityQueryBuilder(
      tokenizer: TinyModel.tokenizer(), encoder: TinyModel.textEncoder(), settings: settings)
  }

  private func entity(_ words: String, synonyms: [String] = []) -> Entity {
    Entity(name: words, classID: 1, words: words, synonyms: synonyms)
  }

  @Test(arguments: EntityQueryBuilder.Settings.Pooling.allCases)
  func embeddingsAgree(pooling: EntityQueryBuilder.Settings.Pooling) throws {
    let fixture = try Fixture("masks/embeddings.safetensors")
    let prefixes = try strings(fixture, "prefixes")
    let words = try strings(fixture, "words")
    for (p, prefix) in prefixes.enumerated() {
      let builder = try builder(.init(prefixes: [prefix], pooling: pooling))
      for (w, word) in words.enumerated() {
        let expected = try fixture.tensor("\(pooling.rawValue).\(p).\(w)")
        let difference = Difference(try builder.embedding(of: entity(word)), expected)
        #expect(difference.keeps(within: .layer, "embedding \(pooling) \"\(prefix)\" \(word)"))
      }
    }
    let all = try builder(.init(prefixes: prefixes, pooling: pooling)).embedding(
      of: entity(words[1]))
    let expected = try (0..<prefixes.count).map {
      try fixture.tensor("\(pooling.rawValue).\($0).1")
    }
    let mean = (1 / Float(expected.count)) * expected.dropFirst().reduce(expected[0], +)
    #expect(
      Difference(all, mean).keeps(within: .layer, "embedding over \(expected.count) prefixes"))
  }

  @Test func synonymsAreAveragedWhereAsked() throws {
    let plain = try builder()
    let averaging = try builder(.init(usesSynonyms: true))
    let sofa = entity("sofa", synonyms: ["couch", "Sofa", "bench"])
    let parts = try ["sofa", "couch", "bench"].map { try plain.embedding(of: entity($0)) }
    let expected = (1 / Float(3)) * (parts[0] + parts[1] + parts[2])
    #expect(Difference(try averaging.embedding(of: sofa), expected).ofRange < 1e-6)
    #expect(try plain.embedding(of: sofa).values == parts[0].values)
  }

  @Test func tokensAreThoseOfTheMention() throws {
    let builder = try builder()
    let tokenizer = try TinyModel.tokenizer()
    let prompt = "A photo of an OWL,  and two potted-plants beside 3 cafe\u{301}s"
    let located = EntityFinder([
      entity("owl"), entity("potted plant"), entity("caf\u{e9}"), entity("dog"),
    ])
    .located(in: prompt)
    let queries = try builder.queries(for: located, prompt: prompt, embeddings: false)
    let ids = tokenizer(prompt)
    for (query, words) in zip(queries, ["owl", "potted-plants", "caf\u{e9}s"]) {
      let found = query.promptTokens.map { ids[$0] }
      #expect(found == tokenizer.encode(words), "\(words): \(tokenizer.pieces(found))")
      #expect(query.embedding == nil && query.lostTokens == 0)
      #expect(query.contentTokens == tokenizer.encode(prompt).count)
    }
    #expect(queries[3].promptTokens.isEmpty)
  }

  @Test func whatTheModelDoesNotReadIsCutOffAndTold() throws {
    let builder = try builder()
    let tokenizer = try TinyModel.tokenizer()
    let words = "potted plant"
    let count = tokenizer.encode(words).count
    #expect(count > 2)
    func query(padding: Int) throws -> EntityQuery {
      let prompt = String(repeating: "a ", count: padding) + words
      let located = EntityFinder([entity(words)]).located(in: prompt)
      return try #require(
        builder.queries(for: located, prompt: prompt, embeddings: false).first)
    }
    let whole = try query(padding: 75 - count)
    #expect(whole.promptTokens == Array(76 - count...75) && whole.lostTokens == 0)
    #expect(AttentionSource.notices(for: [whole]).isEmpty)
    let cut = try query(padding: 76 - count)
    #expect(cut.promptTokens == Array(77 - count...75) && cut.lostTokens == 1)
    #expect(AttentionSource.notices(for: [cut]).map(\.reason) == [.cutShort])
    let gone = try query(padding: 75)
    #expect(gone.promptTokens.isEmpty && gone.lostTokens == count && gone.contentTokens == 75)
    #expect(AttentionSource.notices(for: [gone]).map(\.reason) == [.behindTheEnd])
    let unnamed = EntityQuery(entity: entity("dog"), promptTokens: [])
    #expect(AttentionSource.notices(for: [whole, unnamed]).map(\.reason) == [.notNamed])
    for notice in AttentionSource.notices(for: [cut, gone, unnamed]) {
      #expect(notice.description.contains(notice.entity) && !notice.description.contains("\n"))
    }
  }

  @Test func wordsWithoutATokenAndPrefixesWithoutRoomAreRefused() throws {
    let builder = try builder()
    #expect(throws: EntityError.self) { try builder.embedding(of: entity(" ")) }
    #expect(throws: EntityError.self) { try self.builder(.init(prefixes: [])) }
    let long = String(repeating: "a ", count: 75)
    #expect(throws: EntityError.self) { try self.builder(.init(prefixes: ["a", long])) }
    let room = try self.builder(.init(prefixes: [String(repeating: "a ", count: 74)]))
    #expect(try room.embedding(of: entity("potted plant")).values.allSatisfy(\.isFinite))
  }

  private func strings(_ fixture: Fixture, _ note: String) throws -> [String] {
    try JSONValue.parse(fixture.note(note).utf8).elements?.compactMap(\.string) ?? []
  }
}
