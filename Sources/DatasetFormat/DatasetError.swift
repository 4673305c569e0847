/// What is wrong with a run folder, in one line: where, what was found, what was expected, what to do.
public struct DatasetError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of fault.
  public enum Code: Sendable, Equatable, CaseIterable {
    /// A folder or file cannot be made where it should be; exit 73.
    case cannotCreate
    /// Reading or writing failed; exit 74.
    case io
    /// The disk or the quota is full; the same command goes on later; exit 75.
    case diskFull
    /// Another process works on the folder; exit 75.
    case lockHeld
    /// The folder was made with another configuration; exit 78.
    case configurationDiffers
    /// A file's content breaks a rule of the format; exit 65.
    case malformed
    /// A file that should be there is not; exit 66.
    case missing

    /// The process status of sysexits.
    public var exitStatus: Int32 {
      switch self {
      case .cannotCreate: 73
      case .io: 74
      case .diskFull, .lockHeld: 75
      case .configurationDiffers: 78
      case .malformed: 65
      case .missing: 66
      }
    }
  }

  /// The kind of fault.
  public var code: Code
  /// The file or folder.
  public var path: String
  /// What was found, what was expected, what to do.
  public var message: String
  /// The system's error number, where it gave one.
  public var errno: Int32?

  /// Describes a fault.
  public init(_ code: Code, path: String, _ message: String, errno: Int32? = nil) {
    self.code = code
    self.path = path
    self.message = message
    self.errno = errno
  }

  /// One line for people.
  public var description: String { "\(path): \(message)" }
}
