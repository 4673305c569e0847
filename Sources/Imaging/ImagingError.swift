/// What is wrong with a picture, in one line: what was found, what was expected.
public struct ImagingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of fault.
  public enum Code: Sendable, Equatable {
    /// The bytes break a rule of the format, or are of none.
    case malformed
    /// A picture of a kind that is not read or written here, or not for this purpose.
    case unsupported
    /// More pixels, chunks or bytes than the limits allow.
    case tooLarge
    /// A size that does not fit the pixels, or no pixels at all.
    case wrongSize
    /// An id that the file's depth cannot hold.
    case idOutOfRange
    /// A sample is NaN or infinite.
    case notFinite
    /// A text that a PNG cannot carry.
    case unsuitableText
    /// The system gave no memory.
    case outOfMemory
    /// There is no such file.
    case missingFile
    /// A file is there and cannot be read.
    case unreadable
  }

  /// The kind of fault.
  public var code: Code
  /// What was found and what was expected.
  public var message: String

  /// Describes a fault.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// One line for people.
  public var description: String { message }
}
