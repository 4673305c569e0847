public import CanonicalJSON
import Checkpoints
import TensorCore
public import TextConditioning

/// LoRA files and textual-inversion embeddings that change a model when it is loaded.
public struct ModelAdapters: Sendable {
  /// A LoRA to read.
  public struct LoRARequest: Sendable, Equatable {
    /// The file.
    public var path: String
    /// How often its products are added; below 0 they are taken away.
    public var weight: Double

    /// Describes a LoRA.
    public init(path: String, weight: Double = 1) { (self.path, self.weight) = (path, weight) }

    /// Reads FILE or FILE:weight; a colon counts only where a number follows the last one.
    public init(parsing text: String) {
      self.init(path: text)
      guard let (path, rest) = ModelAdapters.split(text), let weight = Double(rest) else { return }
      self.init(path: path, weight: weight)
    }
  }

  /// An embedding to read.
  public struct EmbeddingRequest: Sendable, Equatable {
    /// The file.
    public var path: String
    /// Its word in prompts; nil for the one the file names.
    public var word: String?

    /// Describes an embedding.
    public init(path: String, word: String? = nil) { (self.path, self.word) = (path, word) }

    /// Reads FILE or FILE:word; colons are part of the name of a file that is there.
    public init(parsing text: String) {
      self.init(path: text)
      guard !FileAccess.isFile(text), let (path, word) = ModelAdapters.split(text) else { return }
      self.init(path: path, word: word)
    }
  }

  /// The most files of each kind.
  public static let countLimit = 256

  let loras: [(file: LoRAFile, weight: Double, sha256: String)]
  let embeddings: [(file: EmbeddingFile, sha256: String)]

  /// No adapters.
  public init() { (loras, embeddings) = ([], []) }

  /// Opens and hashes files.
  ///
  /// - Throws: `CheckpointError` or ``GenerationError`` where one is missing, broken or of another kind.
  public init(loras: [LoRARequest] = [], embeddings: [EmbeddingRequest]) throws {
    self.loras = try loras.map {
      (try LoRAFile(path: $0.path), $0.weight, try FileDigest.sha256(of: $0.path))
    }
    self.embeddings = try embeddings.map {
      (try EmbeddingFile(path: $0.path, word: $0.word), try FileDigest.sha256(of: $0.path))
    }
  }

  /// What stands before and behind the last colon.
  private static func split(_ text: String) -> (before: String, behind: String)? {
    guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else { return nil }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }

  /// Whether there are none.
  public var isEmpty: Bool { loras.isEmpty && embeddings.isEmpty }

  /// The words of the embeddings, for a tokenizer.
  public var words: [CLIPTokenizer.AddedWord] {
    embeddings.map {
      .init($0.file.word, tokenCount: $0.file.vectors.shape[0], file: $0.file.path)
    }
  }

  /// What run.json says of them, in the order in which they are applied.
  public var json: JSONValue {
    func name(_ path: String) -> JSONValue {
      .string(path.split(separator: "/").last.map(String.init) ?? path)
    }
    let weighted: [JSONValue] = loras.map {
      [
        "kind": "lora", "file": name($0.file.name), "sha256": .string($0.sha256),
        "weight": .number($0.weight),
      ]
    }
    let worded: [JSONValue] = zip(embeddings, words).map { embedding, word in
      [
        "kind": "embedding", "file": name(embedding.file.path),
        "sha256": .string(embedding.sha256),
        "tokens": .array(word.spellings.map { .string($0) }),
      ]
    }
    return .array(weighted + worded)
  }

  /// A configuration's or a finding's members with the adapters named, where there are any.
  public func named(in members: [JSONValue.Member]) -> [JSONValue.Member] {
    isEmpty ? members : members + [.init("adapters", json)]
  }
}
