import Checkpoints

extension CLIPTokenizer {
  /// A word that is given vectors of its own.
  public struct AddedWord: Sendable, Equatable {
    /// The word as it is written in prompts; letter case does not count there.
    public var text: String
    /// How many tokens stand for it, one a vector.
    public var tokenCount: Int
    /// The file it comes from, for messages.
    public var file: String

    /// Describes a word.
    public init(_ text: String, tokenCount: Int, file: String) {
      (self.text, self.tokenCount, self.file) = (text, tokenCount, file)
    }

    /// The spellings of its tokens: the word, then the word with _1, _2 and so on.
    public var spellings: [String] { (0..<tokenCount).map { $0 == 0 ? text : "\(text)_\($0)" } }
  }

  /// The tokenizer with more words, whose tokens get the ids behind the largest one, in order.
  ///
  /// A word of several tokens becomes all of them wherever it stands.
  ///
  /// - Source: diffusers `loaders/textual_inversion.py`, `_extend_tokens_and_embeddings` and `maybe_convert_prompt`.
  /// - Throws: `CheckpointError` where a token is there already, or has more vectors than a text has tokens.
  public func adding(_ words: [AddedWord]) throws -> CLIPTokenizer {
    var result = self
    for word in words {
      guard 1...length - 2 ~= word.tokenCount else {
        throw CheckpointError(
          .wrongShape, file: word.file,
          "the embedding \(quoted(word.text)) has \(word.tokenCount) vectors, expected 1 to \(length - 2), as many as "
            + "a prompt has tokens")
      }
      let known = Set(result.spellings.values)
      var ids: [Int] = []
      for spelling in word.spellings {
        let id = result.largestID + 1
        let scalars = TextSplitting.normalized(TextSplitting.scalars(spelling))
        guard !known.contains(spelling), result.normalized.add(scalars, id: id) else {
          throw CheckpointError(
            .unsupported, file: word.file,
            "the token \(quoted(spelling)) is in the tokenizer's vocabulary already; give the embedding another word, "
              + "as --embedding FILE:word")
        }
        result.spellings[id] = spelling
        result.largestID = id
        ids.append(id)
      }
      result.expansions[ids[0]] = ids
    }
    return result
  }
}
