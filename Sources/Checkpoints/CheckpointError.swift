/// What is wrong with a checkpoint, in one line: where, what was found, what was expected, what to do.
public struct CheckpointError: Error, Sendable, CustomStringConvertible {
  /// The kind of fault.
  public enum Code: Sendable, Equatable {
    /// The file is not there.
    case missingFile
    /// The file cannot be opened, read or mapped.
    case unreadable
    /// The bytes break a rule of the format.
    case malformed
    /// A tensor the model needs is not there.
    case missingTensor
    /// A tensor has another shape than the configuration implies.
    case wrongShape
    /// A type or class that is not supported.
    case unsupported
    /// A weight is NaN or infinite.
    case notFinite
    /// The file holds tensors the model has no place for.
    case unusedTensors
    /// The file cannot be written.
    case unwritable
  }

  /// The kind of fault.
  public var code: Code
  /// The file or folder.
  public var file: String
  /// The tensor, where one is concerned.
  public var key: String?
  /// What was found, what was expected, what to do.
  public var message: String

  /// Describes a fault.
  public init(_ code: Code, file: String, key: String? = nil, _ message: String) {
    self.code = code
    self.file = file
    self.key = key
    self.message = message
  }

  /// One line for people.
  public var description: String {
    "\(file): \(key.map { "\($0): " } ?? "")\(message)"
  }
}
