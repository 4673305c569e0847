import MaskGrounding
import TensorCore
import TestSupport
import Testing
import TextConditioning

/// Entities in prompts with words that embeddings brought.
@Suite struct AddedWordQueryTests {
  private static let words: [CLIPTokenizer.AddedWord] = [
    .init("<cat-toy>", tokenCount: 1, file: "a"), .init("mystyle", tokenCount: 3, file: "b"),
  ]

  @Test func tokensOfEntitiesStayRightBehindWordsOfSeveralTokens() throws {
    let tokenizer = try TinyModel.tokenizer().adding(Self.words)
    let plain = try TinyModel.textEncoder()
    var generator = SeededGenerator(seed: 5)
    let encoder = plain.adding(
      generator.tensor([4, 32]), at: plain.configuration.vocabularySize)
    let builder = try EntityQueryBuilder(tokenizer: tokenizer, encoder: encoder)
    let prompt = "mystyle picture of a <cat-toy> beside a dog, mystyle"
    let entities = EntityFinder(
      ["<cat-toy>", "dog", "mystyle"].map { Entity(name: $0, classID: 1, words: $0) }
    ).located(in: prompt)
    let queries = try builder.queries(for: entities, prompt: prompt, embeddings: true)
    let ids = tokenizer(prompt)
    let names = queries.map { query in tokenizer.pieces(query.promptTokens.map { ids[$0] }) }
    #expect(names == [["<cat-toy>"], ["dog</w>"], ["mystyle", "mystyle_1", "mystyle_2"]])
    #expect(queries.allSatisfy { $0.embedding?.shape == [32] })
    // The mean over the vectors' own three states.
    let sentence = tokenizer("a photograph of a mystyle")
    let first = try #require(sentence.firstIndex(of: plain.configuration.vocabularySize + 1))
    let hidden = encoder([sentence]).reshaped([77, 32])
    let mean =
      (1 / Float(3))
      * (hidden.rows(first..<first + 1) + hidden.rows(first + 1..<first + 2)
        + hidden.rows(first + 2..<first + 3))
    #expect(Difference(try #require(queries[2].embedding), mean.reshaped([32])).ofRange < 1e-6)
  }
}
