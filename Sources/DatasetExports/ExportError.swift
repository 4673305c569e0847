/// What keeps a run folder from being exported.
public struct ExportError: Error, Sendable, CustomStringConvertible {
  /// What kind of fault.
  public enum Code: Sendable {
    /// The options do not go together.
    case usage
    /// The run folder, or what is in it, is not as it should be.
    case malformed
    /// The target cannot be made.
    case cannotCreate
  }

  /// What kind of fault.
  public let code: Code
  /// The file or option.
  public let place: String
  /// What was found, what was expected, what to do.
  public let message: String

  /// Describes a fault.
  public init(_ code: Code, _ place: String, _ message: String) {
    self.code = code
    self.place = place
    self.message = message
  }

  /// One line.
  public var description: String { "\(place): \(message)" }
}
