/// What is wrong with what a segmenter was asked for, in one line: where, found, expected, what to do.
public struct SegmenterError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of fault.
  public enum Code: Sendable, Equatable {
    /// The request itself cannot be met: labels, templates, a combination.
    case usage
    /// A file breaks the rules of its format, or is another model's.
    case malformed
    /// Scores that are not numbers.
    case notFinite
  }

  /// The kind of fault.
  public var code: Code
  /// The file or option; empty where none is concerned.
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
