/// What is wrong with a configuration or a run, in one line: where, what was found, what was expected.
public struct DiffusionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of fault.
  public enum Code: Sendable, Equatable {
    /// A configuration lacks something or holds a value of the wrong kind or range.
    case malformed
    /// A valid configuration that is not supported.
    case unsupported
    /// A setting of the run that does not go with the model or the scheduler.
    case invalidSetting
    /// The arithmetic left the range of numbers.
    case notFinite
  }

  /// The kind of fault.
  public var code: Code
  /// The file or the part of the run, for messages.
  public var place: String
  /// The configuration's key, where one is concerned.
  public var key: String?
  /// What was found, what was expected, what to do.
  public var message: String

  /// Describes a fault.
  public init(_ code: Code, _ place: String, key: String? = nil, _ message: String) {
    self.code = code
    self.place = place
    self.key = key
    self.message = message
  }

  /// One line for people.
  public var description: String {
    "\(place): \(key.map { "\($0): " } ?? "")\(message)"
  }
}
