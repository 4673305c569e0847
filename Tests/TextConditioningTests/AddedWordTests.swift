import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing
import TextConditioning

/// Words of textual-inversion embeddings beside diffusers (Tests/Fixtures/adapters/generate.py).
@Suite struct AddedWordTests {
  private static let tiny = Fixture.folder.appendingPathComponent("diffusion/tiny-sd1").path
  private static let files = [
    "cat-toy.safetensors", "learned_embeds.bin", "a1111.pt", "watercolours.safetensors",
  ]

  private func embeddings() throws -> [EmbeddingFile] {
    try Self.files.map {
      try EmbeddingFile(path: Fixture.folder.appendingPathComponent("adapters/\($0)").path)
    }
  }

  private func tokenizer(_ files: [EmbeddingFile]) throws -> CLIPTokenizer {
    try CLIPTokenizer(folder: Self.tiny + "/tokenizer").adding(
      files.map { .init($0.word, tokenCount: $0.vectors.shape[0], file: $0.path) })
  }

  @Test func wordsComeFromKeysNamesAndFiles() throws {
    let found = try embeddings()
    #expect(found.map(\.word) == ["<cat-toy>", "<statue>", "mystyle", "watercolours"])
    #expect(found.map(\.vectors.shape) == [[1, 32], [3, 32], [2, 32], [2, 32]])
    let named = Fixture.folder.appendingPathComponent("adapters/a1111.pt").path
    #expect(try EmbeddingFile(path: named, word: "other").word == "other")
  }

  @Test func idsAndEmbeddingsAgree() throws {
    let fixture = try Fixture("adapters/inversions.safetensors")
    let texts = try JSONDecoder().decode([String].self, from: Data(fixture.note("texts").utf8))
    #expect(texts.count == 9)
    let files = try embeddings()
    let tokenizer = try tokenizer(files)
    let ids = texts.map { tokenizer($0) }
    #expect(ids.flatMap { $0 } == (try fixture.integers("ids")))
    let plain = try CLIPTokenizer(folder: Self.tiny + "/tokenizer")
    let encoder = try CLIPTextEncoder(
      Fixture("diffusion/tiny-sd1/text_encoder/model.safetensors").weights(),
      configuration: CLIPTextConfiguration(file: Self.tiny + "/text_encoder/config.json"))
    #expect(throws: CheckpointError.self) { try encoder.checkFits(tokenizer) }
    let extended = encoder.adding(
      joinedRows(files.map(\.vectors)), at: plain.largestID + 1)
    try extended.checkFits(tokenizer)
    #expect(
      Difference(extended(ids), try fixture.tensor("text"))
        .keeps(within: .layer, "textual inversion text"))
  }

  @Test func placesOfAWordAreThoseOfAllItsTokens() throws {
    let tokenizer = try tokenizer(try embeddings())
    let text = "a <statue> in a boat"
    let tokens = tokenizer.placedTokens(of: text)
    #expect(tokens.map(\.id) == tokenizer.encode(text))
    #expect(tokens.dropFirst().prefix(3).allSatisfy { $0.range == 2..<10 })
    #expect(tokens.last?.range == 16..<20)
    #expect(
      tokenizer.pieces(tokens.map(\.id)).dropFirst().prefix(3) == [
        "<statue>", "<statue>_1", "<statue>_2",
      ])
  }

  @Test(arguments: ["dog</w>", "<statue>", "<STATUE>", "<cat-toy>"])
  func wordsOfTheVocabularyAreRefused(word: String) throws {
    let tokenizer = try tokenizer(try embeddings())
    let error = #expect(throws: CheckpointError.self) {
      try tokenizer.adding([.init(word, tokenCount: 1, file: "x.pt")])
    }
    #expect(error?.description.contains("in the tokenizer's vocabulary already") == true)
  }

  @Test func moreVectorsThanAPromptHasTokensAreRefused() throws {
    let tokenizer = try CLIPTokenizer(folder: Self.tiny + "/tokenizer")
    #expect(try tokenizer.adding([.init("<w>", tokenCount: 75, file: "x.pt")])("<w>").count == 77)
    let error = #expect(throws: CheckpointError.self) {
      try tokenizer.adding([.init("<w>", tokenCount: 76, file: "x.pt")])
    }
    #expect(error?.description.contains("76 vectors, expected 1 to 75") == true)
  }

  @Test func rowsBeyondTheVocabularyAreReplacedAndTheRestIsKept() throws {
    let encoder = try CLIPTextEncoder(
      Fixture("diffusion/tiny-sd1/text_encoder/model.safetensors").weights(),
      configuration: CLIPTextConfiguration(file: Self.tiny + "/text_encoder/config.json"))
    let vector = Tensor(repeating: 0.25, shape: [1, 32])
    let replaced = encoder.adding(vector, at: 797)
    #expect(replaced.configuration.vocabularySize == 799)
    let rows = replaced.hiddenState([[796, 797, 798]], after: 0).values
    let before = encoder.hiddenState([[796, 797, 798]], after: 0).values
    #expect(rows[..<32] == before[..<32] && rows[64...] == before[64...])
    #expect(rows[32..<64] != before[32..<64])
  }
}
