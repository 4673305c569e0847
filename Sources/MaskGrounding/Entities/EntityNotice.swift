/// Something to tell the user about an entity, in one line.
public struct EntityNotice: Sendable, Equatable, CustomStringConvertible {
  /// What it is about.
  public enum Reason: Sendable, Equatable {
    /// The prompt does not name the entity, and the source finds only what it names.
    case notNamed
    /// The prompt names it behind the last token the model reads.
    case behindTheEnd
    /// The last of its words are behind the last token the model reads.
    case cutShort
  }

  /// The entity's name.
  public var entity: String
  /// What it is about.
  public var reason: Reason

  /// Describes a notice.
  public init(entity: String, reason: Reason) {
    self.entity = entity
    self.reason = reason
  }

  /// One line for people.
  public var description: String {
    switch reason {
    case .notNamed:
      "entity \"\(entity)\": the prompt does not name it, and attention finds only what the prompt names"
    case .behindTheEnd:
      "entity \"\(entity)\": the prompt names it behind the last token the model reads; it cannot be found"
    case .cutShort:
      "entity \"\(entity)\": the model reads only the first of its words; the prompt is too long"
    }
  }
}
