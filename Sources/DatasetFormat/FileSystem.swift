#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The operations on a run folder that can fail, so that tests can make each of them fail.
///
/// Paths are relative to the folder, with `/` between names; no symbolic link is followed at any of the names.
/// Every operation throws ``DatasetError``.
public protocol FileSystem: AnyObject {
  /// The folder, as the user named it.
  var root: String { get }

  /// Makes a folder; false where one is there already.
  func makeDirectory(_ path: String) throws -> Bool
  /// Makes a file that must not exist and opens it for writing.
  func createFile(_ path: String) throws -> Int32
  /// Writes all bytes.
  func write(_ bytes: [UInt8], to file: Int32, path: String) throws
  /// Brings a file's bytes to the disk.
  func synchronize(_ file: Int32, path: String) throws
  /// Closes a file; it is closed even where this throws.
  func close(_ file: Int32, path: String) throws
  /// Gives a file or folder another name, in place of a file of that name.
  func rename(_ path: String, to newPath: String) throws
  /// Gives a file a second name.
  func link(_ path: String, to newPath: String) throws -> LinkOutcome
  /// Removes a file or link; nothing happens where there is none.
  func removeFile(_ path: String) throws
  /// Removes an empty folder; false where it is not empty.
  func removeDirectory(_ path: String) throws -> Bool
  /// The names in a folder, sorted.
  func list(_ path: String) throws -> [String]
  /// What stands at a path; nil where nothing does.
  func status(_ path: String) throws -> FileStatus?
  /// A regular file's bytes; throws where there are more than `limit`.
  func read(_ path: String, limit: Int) throws -> [UInt8]
  /// Brings a folder's names to the disk.
  func synchronizeDirectory(_ path: String) throws
  /// Brings everything that was written so far to the disk at once: for very many files that can be made again, where
  /// waiting for each would take hours. Faults of the disk itself may go unreported.
  func synchronizeAll() throws
  /// Takes a lock, without waiting.
  func acquireLock(_ path: String, exclusively: Bool) throws -> LockOutcome
  /// Whether no one else holds a shared lock; it is exclusive afterwards.
  func upgradeLock(_ lock: Int32) -> Bool
  /// Gives a lock back and, on request, removes its file.
  func releaseLock(_ lock: Int32, path: String, removing: Bool)
}

/// What came of giving a file a second name.
public enum LinkOutcome: Sendable, Equatable {
  /// The file has it.
  case linked
  /// The name is taken.
  case exists
  /// The file system has no second names.
  case unsupported
}

/// What came of taking a lock.
public enum LockOutcome: Sendable, Equatable {
  /// It is ours; the number gives it back.
  case acquired(Int32)
  /// Another process has it; its id where it is known.
  case held(processID: Int?)
}

/// What stands at a path.
public struct FileStatus: Sendable, Equatable {
  /// The kind of thing.
  public enum Kind: String, Sendable {
    /// A regular file.
    case file = "a file"
    /// A folder.
    case directory = "a folder"
    /// A symbolic link, followed nowhere.
    case link = "a symbolic link"
    /// A pipe, socket or device.
    case other = "a special file"
  }

  /// The kind of thing.
  public var kind: Kind
  /// Bytes of a regular file.
  public var size: Int

  /// Describes a thing.
  public init(kind: Kind, size: Int) {
    self.kind = kind
    self.size = size
  }
}

extension FileSystem {
  /// Waits 20 ms for another process.
  func pause() { usleep(20_000) }

  /// Writes a new file and brings its bytes to the disk; nothing stays where it fails.
  public func writeNew(_ bytes: [UInt8], at path: String) throws {
    let file = try createFile(path)
    do {
      do {
        try write(bytes, to: file, path: path)
        try synchronize(file, path: path)
      } catch {
        // The first error is the one to report.
        _ = Result { try close(file, path: path) }
        throw error
      }
      try close(file, path: path)
    } catch {
      discard(path)
      throw error
    }
  }

  /// Writes a file under a temporary name and gives it its own at the end.
  package func replace(_ path: String, with bytes: [UInt8], temporary: String) throws {
    try writeNew(bytes, at: temporary)
    do {
      try rename(temporary, to: path)
    } catch {
      discard(temporary)
      throw error
    }
  }

  /// Removes a file or folder with all that is in it; links are removed, not followed.
  public func removeTree(_ path: String) throws {
    guard let status = try status(path) else { return }
    guard status.kind == .directory else { return try removeFile(path) }
    for name in try list(path) { try removeTree("\(path)/\(name)") }
    _ = try removeDirectory(path)
  }

  /// Removes what a failed operation left; the next run removes what stays.
  public func discard(_ path: String) {
    _ = Result { try removeTree(path) }
  }

  /// A path as the user would write it.
  public func shown(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }
}
