public import TensorCore
public import TextConditioning

/// Makes queries of entities: where their words are among a prompt's tokens, and what they mean.
///
/// - Source: Li et al., "Open-vocabulary Object Segmentation with Diffusion Models" (2023): each class is encoded
///   in a sentence of its own, the last hidden states of its tokens are averaged.
public final class EntityQueryBuilder {
  /// How words become an embedding.
  public struct Settings: Sendable, Equatable {
    /// Which of the class's tokens are taken.
    public enum Pooling: String, Sendable, CaseIterable {
      /// The mean over all of them, as published.
      case mean
      /// The last one, which has seen all others.
      case last
    }

    /// What stands before the class, one text a sentence; the embedding is the mean over the sentences.
    public var prefixes: [String]
    /// Which tokens are taken.
    public var pooling: Pooling
    /// Whether the entity's synonyms are averaged in, each as much as its words.
    public var usesSynonyms: Bool

    /// Describes queries; as published where nothing is said.
    public init(
      prefixes: [String] = ["a photograph of a"], pooling: Pooling = .mean,
      usesSynonyms: Bool = false
    ) {
      self.prefixes = prefixes
      self.pooling = pooling
      self.usesSynonyms = usesSynonyms
    }
  }

  /// How words become an embedding.
  public let settings: Settings
  private let tokenizer: CLIPTokenizer
  private let encoder: CLIPTextEncoder
  private var embeddings: [String: Tensor] = [:]

  /// A builder for a model's text encoder.
  ///
  /// - Throws: `CheckpointError` where tokenizer and encoder do not fit, ``EntityError`` where there is no prefix
  ///   or one is so long that no class has room behind it.
  public init(
    tokenizer: CLIPTokenizer, encoder: CLIPTextEncoder, settings: Settings = Settings()
  ) throws {
    try encoder.checkFits(tokenizer)
    guard !settings.prefixes.isEmpty else {
      throw EntityError(
        "", "no sentence to encode classes in; give at least one prefix, it may be empty")
    }
    for prefix in settings.prefixes {
      let (count, room) = (tokenizer.encode(prefix).count, tokenizer.length - 2)
      guard count < room else {
        throw EntityError(
          "", "the prefix \"\(prefix.prefix(40))\" has \(count) tokens, expected fewer than \(room)"
        )
      }
    }
    (self.tokenizer, self.encoder, self.settings) = (tokenizer, encoder, settings)
  }

  /// The queries of some entities for a prompt.
  ///
  /// - Parameters:
  ///   - entities: what to ask for; ``Entity/mention`` says where the prompt names each.
  ///   - prompt: the prompt as it was encoded for the picture.
  ///   - embeddings: whether ``EntityQuery/embedding`` is wanted (``MaskSource/usesEmbeddings``).
  /// - Returns: one query an entity, in their order.
  /// - Throws: ``EntityError`` where the words have no token or no room behind a prefix.
  public func queries(
    for entities: [Entity], prompt: String, embeddings: Bool
  ) throws -> [EntityQuery] {
    let tokens = tokenizer.placedTokens(of: prompt)
    let room = tokenizer.length - 2
    return try entities.map { entity in
      let places = entity.mention.map { mention in
        tokens.indices.filter { tokens[$0].range.overlaps(mention) }
      }
      let read = (places ?? []).filter { $0 < room }
      return EntityQuery(
        entity: entity, promptTokens: read.map { $0 + 1 },
        lostTokens: (places?.count ?? 0) - read.count, contentTokens: min(tokens.count, room),
        embedding: embeddings ? try embedding(of: entity) : nil)
    }
  }

  /// The embedding [D] of an entity's words; remembered.
  ///
  /// - Throws: as ``queries(for:prompt:embeddings:)``.
  public func embedding(of entity: Entity) throws -> Tensor {
    guard settings.usesSynonyms, !entity.synonyms.isEmpty else {
      return try embedding(ofWords: entity.words)
    }
    var seen: Set<String> = []
    let wordings = ([entity.words] + entity.synonyms).filter {
      seen.insert($0.lowercased()).inserted
    }
    return mean(try wordings.map(embedding(ofWords:)))
  }

  private func embedding(ofWords words: String) throws -> Tensor {
    if let known = embeddings[words] { return known }
    let new = mean(try settings.prefixes.map { try embedding(ofWords: words, behind: $0) })
    embeddings[words] = new
    return new
  }

  /// The sentence is encoded alone, so that an embedding does not depend on what else is asked for.
  private func embedding(ofWords words: String, behind prefix: String) throws -> Tensor {
    let count = tokenizer.encode(words).count
    guard count > 0 else { throw EntityError(words, "the tokenizer finds no word in it") }
    let first = 1 + tokenizer.encode(prefix).count
    let end = min(first + count, tokenizer.length - 1)
    let sentence = prefix.isEmpty ? words : "\(prefix) \(words)"
    let hidden = encoder([tokenizer(sentence)])  // [1, T, D]
    let rows = hidden.reshaped(Array(hidden.shape.dropFirst())).rows(first..<end)
    switch settings.pooling {
    case .mean: return mean((0..<end - first).map { row($0, of: rows) })
    case .last: return row(end - first - 1, of: rows)
    }
  }

  private func row(_ index: Int, of rows: Tensor) -> Tensor {
    rows.rows(index..<index + 1).reshaped([rows.lastDimension])
  }

  private func mean(_ tensors: [Tensor]) -> Tensor {
    guard tensors.count > 1 else { return tensors[0] }
    return (1 / Float(tensors.count)) * tensors.dropFirst().reduce(tensors[0], +)
  }
}
