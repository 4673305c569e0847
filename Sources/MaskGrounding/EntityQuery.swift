public import TensorCore

/// An entity as a mask source asks for it.
public struct EntityQuery: Sendable {
  /// The entity.
  public var entity: Entity
  /// The positions of its words' tokens among the encoded prompt's, 0 being the begin token; empty where the
  /// prompt does not name it, or names it behind the last token the model reads.
  public var promptTokens: [Int]
  /// How many of its words' tokens are behind the last one the model reads.
  public var lostTokens: Int
  /// How many tokens of the prompt the model reads, begin and end left out; they are at positions from 1 on.
  public var contentTokens: Int
  /// Its pooled text embedding [D]; nil for sources that do not use one.
  public var embedding: Tensor?

  /// Describes a query.
  public init(
    entity: Entity, promptTokens: [Int], lostTokens: Int = 0, contentTokens: Int = 0,
    embedding: Tensor? = nil
  ) {
    self.entity = entity
    self.promptTokens = promptTokens
    self.lostTokens = lostTokens
    self.contentTokens = contentTokens
    self.embedding = embedding
  }
}
