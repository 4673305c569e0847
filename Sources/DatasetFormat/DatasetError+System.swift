#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension DatasetError {
  /// A system call that failed.
  ///
  /// - Parameters:
  ///   - operation: what was tried, such as "create".
  ///   - path: on what.
  ///   - number: the system's error number.
  /// - Returns: the error with the code that belongs to the number.
  public static func system(_ operation: Operation, path: String, errno number: Int32)
    -> DatasetError
  {
    let reason = String(cString: strerror(number))
    let text = "cannot \(operation.rawValue): \(reason)"
    switch number {
    case ENOSPC, EDQUOT:
      return DatasetError(
        .diskFull, path: path,
        text + "; make room and give the same command again: finished work is kept", errno: number)
    case ENOENT where operation == .read:
      return DatasetError(.missing, path: path, text, errno: number)
    case EACCES, EPERM, EROFS, ENOTDIR, ENOENT, EEXIST, ELOOP, ENAMETOOLONG:
      let code: Code = operation == .create ? .cannotCreate : .io
      return DatasetError(code, path: path, text, errno: number)
    default:
      return DatasetError(.io, path: path, text, errno: number)
    }
  }

  /// Whether a folder on the way is not there or no folder, which is no fault of the disk.
  var isWrongPlace: Bool {
    guard let errno else { return false }
    return [ENOENT, ENOTDIR, ELOOP].contains(errno)
  }

  /// Whether a name or its permissions are at fault and not the disk.
  public var isOfName: Bool {
    guard let errno else { return false }
    return isWrongPlace || [EACCES, EPERM, ENAMETOOLONG].contains(errno)
  }

  /// What was tried when a system call failed.
  public enum Operation: String, Sendable {
    /// Making a file or folder.
    case create
    /// Writing bytes, syncing and closing.
    case write
    /// Opening, listing and reading.
    case read
    /// Giving a new name.
    case rename
    /// Removing a file or folder.
    case remove
    /// Taking the lock.
    case lock
  }
}
