import CanonicalJSON
public import TensorCore

/// A textual-inversion embedding: one or more vectors that stand for a word of their own in prompts.
///
/// Read are diffusers' files (one tensor under the word), those of AUTOMATIC1111 (`string_to_param` with a name, or
/// `emb_params`), as safetensors or as PyTorch's zipped pickles.
///
/// - Source: Gal et al., "An Image is Worth One Word" (2022); diffusers `loaders/textual_inversion.py`.
public struct EmbeddingFile: Sendable {
  /// Under which key AUTOMATIC1111's pickles keep their vectors.
  static let nesting = "string_to_param"
  /// The most vectors of a word; no text encoder reads as many tokens.
  static let vectorLimit = 1024
  static let widthLimit = 16_384
  private static let bareKeys = ["emb_params", "*"]

  /// The path of the file.
  public let path: String
  /// The word, as it is written in prompts.
  public let word: String
  /// The vectors [n, width].
  public let vectors: Tensor
  /// How the vectors are stored.
  public let type: ElementType

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - word: the word; nil for the one the file names, else its own name without the ending.
  /// - Throws: ``CheckpointError`` where it is no embedding, of a model with two text encoders, or damaged.
  public init(path: String, word: String? = nil) throws {
    let source = try WeightFile.open(path)
    guard let key = Self.key(of: source), let record = source.record(key) else {
      throw Self.refusal(of: source)
    }
    let shape = record.shape.count == 1 ? [1] + record.shape : record.shape
    guard shape.count == 2, 1...Self.vectorLimit ~= shape[0], 1...Self.widthLimit ~= shape[1] else {
      throw CheckpointError(
        .wrongShape, file: path, key: key,
        "found shape \(record.shape), expected [n, width] with at most \(Self.vectorLimit) vectors of at most "
          + "\(Self.widthLimit) numbers")
    }
    self.path = path
    type = record.type
    vectors = try source.tensor(key).reshaped(shape)
    self.word = word ?? Self.word(key, source)
    try checkWord()
  }

  /// Whether these tensors are an embedding's.
  public static func isEmbedding(_ source: any WeightSource) -> Bool { key(of: source) != nil }

  /// The key of the vectors.
  private static func key(of source: any WeightSource) -> String? {
    if let pickle = source as? PickleFile {
      guard pickle.nesting == nil || pickle.nesting == nesting else { return nil }
      if pickle.nesting == nesting { return source.keys.contains("*") ? "*" : nil }
    }
    if source.keys.contains(bareKeys[0]) { return bareKeys[0] }
    guard source.keys.count == 1, let key = source.keys.first else { return nil }
    return LoRAKey(key) == nil && LoRARelative.name(of: key) == nil ? key : nil
  }

  /// The word of a file, where nobody says another.
  private static func word(_ key: String, _ source: any WeightSource) -> String {
    guard bareKeys.contains(key) else { return key }
    if let name = (source as? PickleFile)?.texts["name"], !name.isEmpty { return name }
    let name = splitPath(source.name).name
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }

  private static func refusal(of source: any WeightSource) -> CheckpointError {
    if source.keys.contains("clip_g") {
      return CheckpointError(
        .wrongShape, file: source.name, key: "clip_g",
        "the embedding is for two text encoders, those of Stable Diffusion XL; expected one for the model's own"
      )
    }
    let keys = source.keys.prefix(3).map { JSONError.excerpt(of: $0) }.joined(separator: ", ")
    return CheckpointError(
      .unsupported, file: source.name,
      "this is no textual-inversion embedding: it holds \(source.keys.count) tensor(s), among them \(keys); expected "
        + "one under its word, emb_params, or string_to_param")
  }

  private func checkWord() throws {
    guard 1...256 ~= word.utf8.count, word.first?.isWhitespace == false,
      word.last?.isWhitespace == false,
      !word.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else {
      throw CheckpointError(
        .malformed, file: path,
        "the word of the embedding is \"\(JSONError.excerpt(of: word))\", expected 1 to 256 bytes without control "
          + "characters or white space at its ends")
    }
  }
}
