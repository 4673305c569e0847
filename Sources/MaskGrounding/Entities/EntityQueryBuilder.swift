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

  /// A builder for a model's text encoder.
  ///
  /// - Throws: `CheckpointError` where tokenizer and encoder do not fit, ``EntityError`` where there is no prefix
  ///   or one is so long that no class has room behind it.
  public init(
    tokenizer: CLIPTokenizer, encoder: CLIPTextEncoder, settings: Settings = Settings()
  ) throws {
    try encoder.checkFits(tokenizer)
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
    try entities.map { entity in
      EntityQuery(
        entity: entity, promptTokens: [], embedding: embeddings ? try embedding(of: entity) : nil)
    }
  }

  /// The embedding [D] of an entity's words; remembered.
  ///
  /// - Throws: as ``queries(for:prompt:embeddings:)``.
  public func embedding(of entity: Entity) throws -> Tensor {
    Tensor.zeros([encoder.configuration.width])
  }
}
