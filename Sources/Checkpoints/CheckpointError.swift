import CanonicalJSON

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
  /// The system's error number (`errno`), where a system call failed: full disk, no permission.
  public var errorNumber: Int32?
  /// What was found, what was expected, what to do.
  public var message: String

  /// Describes a fault.
  public init(
    _ code: Code, file: String, key: String? = nil, errorNumber: Int32? = nil, _ message: String
  ) {
    self.code = code
    self.file = file
    self.key = key
    self.errorNumber = errorNumber
    self.message = message
  }

  /// One line for people; names from the file are cut and their control characters escaped.
  public var description: String {
    let place = key.map { "\(JSONError.excerpt(of: $0, limit: 160)): " } ?? ""
    return JSONError.excerpt(of: file, limit: 4096) + ": " + place
      + JSONError.excerpt(of: message, limit: 4096)
  }
}
