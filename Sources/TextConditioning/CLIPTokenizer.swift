import CanonicalJSON
import Checkpoints

/// CLIP's byte-pair tokenizer: text to the ids that the text encoder looks up.
///
/// The ids of any text equal those of the reference, letter case, white space, combining marks, unassigned
/// code points and written-out special tokens included.
///
/// - Source: transformers 5 `CLIPTokenizer` (`CLIPTokenizerFast`) over tokenizers 0.23.
public struct CLIPTokenizer: Sendable {
  /// What fills up short texts.
  public enum Padding: Sendable {
    /// The end's token, as CLIP's own tokenizer has it.
    case end
    /// Id 0, as OpenCLIP has it.
    case zero
  }

  /// The files of a folder that are read.
  public static let fileNames = [
    "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json",
  ]

  /// Ids that ``callAsFunction(_:)`` returns (`model_max_length`), 77 in Stable Diffusion.
  public let length: Int
  /// The id before every text.
  public let beginID: Int
  /// The id after every text.
  public let endID: Int
  /// The id that fills up: the end's in Stable Diffusion 1, that of `!` in Stable Diffusion 2.
  public let padID: Int
  /// The largest id that ``encode(_:)`` can return.
  public internal(set) var largestID: Int
  /// The folder or file, for messages.
  public let folder: String

  let merges: BytePairMerges
  let verbatim: AddedTokens
  var normalized: AddedTokens
  var spellings: [Int: String]
  /// All tokens of a word that has several, by the first one's id (see ``adding(_:)``).
  var expansions: [Int: [Int]] = [:]
  private let inside: [UInt32]
  private let ending: [UInt32]

  /// Reads `vocab.json`, `merges.txt`, `tokenizer_config.json` and, where there, `special_tokens_map.json`
  /// and `added_tokens.json`.
  ///
  /// A `tokenizer.json` is not read; a folder with nothing else is refused.
  ///
  /// - Parameters:
  ///   - folder: the folder.
  ///   - padding: what fills up, where the model decides that and not the folder, which then needs no
  ///     `tokenizer_config.json`; nil for what the folder says.
  /// - Throws: `CheckpointError` with file, place, what was found and what was expected.
  public init(folder: String, padding: Padding? = nil) throws {
    let vocabularyFile = ConfigurationFile("vocab.json", in: folder)
    let whole = ConfigurationFile("tokenizer.json", in: folder)
    if !vocabularyFile.exists && whole.exists {
      throw whole.refusal(
        nil, "the folder has only this file; vocab.json and merges.txt are expected beside it")
    }
    let file = ConfigurationFile("tokenizer_config.json", in: folder)
    let isBare = padding != nil && !file.exists
    let configuration = isBare ? .object([]) : try file.object(limit: 4 << 20)
    length = try CLIPTokenizer.length(configuration, file)
    let vocabulary = try Vocabulary(vocabularyFile)
    merges = try vocabulary.merges(ConfigurationFile("merges.txt", in: folder))
    let special = try SpecialTokens(configuration: configuration, file: file, folder: folder)
    let added = try AddedVocabulary(special, vocabulary, file)
    spellings = vocabulary.pieces.merging(added.spellings) { _, new in new }
    (verbatim, normalized) = (added.verbatim, added.normalized)
    largestID = max(vocabulary.largestID, added.spellings.keys.max() ?? 0)
    func id(_ role: String) throws -> Int {
      guard let id = added.ids[role] else {
        throw file.fault(role, "the token is missing, expected one that is in vocab.json")
      }
      return id
    }
    beginID = try id("bos_token")
    endID = try id("eos_token")
    switch padding {
    case nil: padID = try id("pad_token")
    case .end: padID = endID
    case .zero: padID = 0
    }
    let unknown = special.named["unk_token"]?.content ?? ""
    guard let unknownID = vocabulary.id(unknown) else {
      throw file.fault(
        "unk_token", "found \(quoted(unknown)), expected one of the pieces of vocab.json")
    }
    (inside, ending) = vocabulary.byteIDs(unknown: unknownID)
    self.folder = folder
  }

  /// Reads CLIP's tokenizer from what people have of it: a folder with `vocab.json` and `merges.txt`, or a list of merges
  /// alone, `merges.txt` or OpenAI's `bpe_simple_vocab_16e6.txt`, also packed as `.gz`.
  ///
  /// The merges say the whole vocabulary: bytes, bytes at a word's end, what each merge makes, begin and end.
  ///
  /// - Parameters:
  ///   - path: the folder or file.
  ///   - padding: what fills up.
  /// - Throws: `CheckpointError` with file, place, what was found and what was expected.
  /// - Source: openai/CLIP `simple_tokenizer.py`.
  public init(path: String, padding: Padding) throws {
    let file = MergesFile(path)
    guard file.isFolder else {
      self.init(try file.contents(), path: path, padding: padding)
      return
    }
    try self.init(folder: MergesFile.folder(path), padding: padding)
  }

  private init(
    _ contents: (vocabulary: Vocabulary, merges: BytePairMerges), path: String, padding: Padding
  ) {
    let vocabulary = contents.vocabulary
    merges = contents.merges
    (beginID, endID) = (vocabulary.largestID - 1, vocabulary.largestID)
    (spellings, largestID, length, folder) = (vocabulary.pieces, vocabulary.largestID, 77, path)
    padID = padding == .end ? endID : 0
    (verbatim, normalized) = (MergesFile.marks(beginID, endID), AddedTokens())
    (inside, ending) = vocabulary.byteIDs(unknown: endID)
  }

  private static func length(
    _ configuration: JSONValue, _ file: ConfigurationFile
  ) throws -> Int {
    if let name = configuration["tokenizer_class"], !name.isNull,
      name.string != "CLIPTokenizer" && name.string != "CLIPTokenizerFast"
    {
      throw file.refusal("tokenizer_class", "found \(shown(name)), expected \"CLIPTokenizer\"")
    }
    for key in ["padding_side", "truncation_side"] {
      if let side = configuration[key], !side.isNull, side.string != "right" {
        throw file.refusal(key, "found \(shown(side)), expected \"right\"")
      }
    }
    if configuration["split_special_tokens"]?.bool == true {
      throw file.refusal("split_special_tokens", "found true, expected false")
    }
    guard let value = configuration["model_max_length"], !value.isNull else { return 77 }
    guard let length = value.integer, (2...65_536).contains(length) else {
      throw file.fault(
        "model_max_length", "found \(shown(value)), expected a whole number in 2...65536")
    }
    return length
  }

  /// The ids of a text, whatever its length, without begin and end.
  public func encode(_ text: String) -> [Int] {
    var ids: [Int] = []
    for stretch in verbatim.stretches(of: TextSplitting.scalars(text)) {
      switch stretch {
      case .token(let id, _): ids.append(id)
      case .text(let text): appendNormalized(TextSplitting.normalized(Array(text)), to: &ids)
      }
    }
    return ids
  }

  /// The ids a text encoder takes: begin, the text's first ids, end, then padding up to ``length``.
  public func callAsFunction(_ text: String) -> [Int] { padded(encode(text)) }

  /// The same of a text that ``encode(_:)`` has taken already.
  public func padded(_ ids: [Int]) -> [Int] {
    let ids = [beginID] + ids.prefix(length - 2) + [endID]
    return ids + repeatElement(padID, count: length - ids.count)
  }

  /// The spelling of ids in the vocabulary, `</w>` at a word's end, other bytes than printable Latin-1 as
  /// byte-level vocabularies write them.
  ///
  /// - Precondition: every id is one of this tokenizer's.
  public func pieces(_ ids: [Int]) -> [String] {
    ids.map { id in
      guard let spelling = spellings[id] else { preconditionFailure("no piece has the id \(id)") }
      return spelling
    }
  }

  private func appendNormalized(_ text: [UInt32], to ids: inout [Int]) {
    for stretch in normalized.stretches(of: text) {
      switch stretch {
      case .token(let id, _): ids += expansions[id] ?? [id]
      case .text(let text):
        TextSplitting.forEachPiece(of: text) { piece in
          merges.apply(to: symbols(piece)) { id, _ in ids.append(id) }
        }
      }
    }
  }

  /// The bytes of a piece as ids, the last one ending the word.
  func symbols(_ piece: ArraySlice<UInt32>) -> [UInt32] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(piece.count)
    for value in piece { Self.appendBytes(of: value, to: &bytes) }
    guard let last = bytes.last else { return [] }
    var symbols = bytes.map { inside[Int($0)] }
    symbols[symbols.count - 1] = ending[Int(last)]
    return symbols
  }

  static func appendBytes(of value: UInt32, to bytes: inout [UInt8]) {
    if value < 0x80 {
      bytes.append(UInt8(value))
    } else if let scalar = Unicode.Scalar(value) {
      bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
  }
}
