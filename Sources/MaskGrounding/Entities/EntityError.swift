/// What is wrong with the entities somebody asks for, in one line: what was found, what is expected.
///
/// It is always the user's mistake.
public struct EntityError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The entity concerned, as it was written; empty where it is the list.
  public var entity: String
  /// What was found, what is expected, what to do.
  public var message: String

  /// Describes a mistake.
  public init(_ entity: String, _ message: String) {
    self.entity = entity
    self.message = message
  }

  /// One line for people.
  public var description: String { entity.isEmpty ? message : "entity \"\(entity)\": \(message)" }
}
