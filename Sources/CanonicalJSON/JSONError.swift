/// Where and why a text is not the JSON that is accepted here.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Byte position, from 0.
  public var offset: Int
  /// What was found and what was expected.
  public var message: String

  /// One line for people.
  public var description: String { "byte \(offset): \(message)" }
}
