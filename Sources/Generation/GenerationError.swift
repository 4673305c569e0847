/// What is wrong with a request, a template or a vocabulary, in one line: where, found, expected, what to do.
public struct GenerationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of fault.
  public enum Code: Sendable, Equatable {
    /// The request itself cannot be met: a count, a size, a combination.
    case usage
    /// A file breaks the rules of its format.
    case malformed
    /// A file, folder or preset is not there.
    case missingInput
    /// A file is there and cannot be read.
    case unreadable
    /// A file cannot be made.
    case unwritable
    /// The numbers of the run are not finite.
    case notFinite
    /// The machine has not enough of something now.
    case tryAgain
    /// The run was asked to stop.
    case interrupted
  }

  /// The kind of fault.
  public var code: Code
  /// The file, folder or option; empty where none is concerned.
  public var place: String
  /// What was found, what was expected, what to do.
  public var message: String

  /// Describes a fault.
  public init(_ code: Code, _ place: String, _ message: String) {
    self.code = code
    self.place = place
    self.message = message
  }

  /// One line for people.
  public var description: String { place.isEmpty ? message : "\(place): \(message)" }
}
