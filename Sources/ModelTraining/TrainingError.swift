/// What stopped a training, in one line: where, what was found, what to do.
public struct TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of fault.
  public enum Code: Sendable, Equatable {
    /// A setting is out of range.
    case invalidSetting
    /// The loss or a gradient is no longer a finite number.
    case diverged
  }

  /// The kind of fault.
  public var code: Code
  /// The setting or the step.
  public var place: String
  /// What was found, what was expected, what to do.
  public var message: String

  /// Describes a fault.
  public init(_ code: Code, _ place: String, _ message: String) {
    (self.code, self.place, self.message) = (code, place, message)
  }

  /// One line for people.
  public var description: String { "\(place): \(message)" }
}
