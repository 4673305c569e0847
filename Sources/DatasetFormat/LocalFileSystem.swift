#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A folder of the machine, held open: every name below it is looked up from there, and a symbolic link at any
/// of them is refused.
public final class LocalFileSystem: FileSystem {
  /// The folder, as the user named it.
  public let root: String
  private let folder: Int32

  /// Opens a folder and, on request, makes it and those above it.
  ///
  /// - Parameters:
  ///   - root: the folder; links above it and to it are followed, since the user named them.
  ///   - creating: whether to make it where it is not there.
  /// - Throws: ``DatasetError`` `cannotCreate`, `diskFull`, `io` or `missing`.
  public init(root: String, creating: Bool) throws {
    guard !root.isEmpty, !root.utf8.contains(0) else {
      throw DatasetError(.cannotCreate, path: root, "no name of a folder")
    }
    self.root = root
    if creating { try Self.makeDirectories(root) }
    folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else {
      throw DatasetError.system(creating ? .create : .read, path: root, errno: errno)
    }
  }

  deinit { _ = systemClose(folder) }

  private static func makeDirectories(_ root: String) throws {
    var prefix = root.hasPrefix("/") ? "/" : ""
    for name in root.split(separator: "/") {
      let parent = prefix.isEmpty ? "." : prefix
      prefix += (prefix.isEmpty || prefix == "/" ? "" : "/") + name
      if mkdir(prefix, 0o777) == 0 {
        // A folder that may be entered and not listed cannot be synced, and need not be.
        let above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if above >= 0 {
          let isSynced = canBeSynced(above)
          let number = errno
          _ = systemClose(above)
          guard isSynced else {
            throw DatasetError.system(.create, path: root, errno: number)
          }
        }
      } else if errno != EEXIST && errno != EISDIR {
        throw DatasetError.system(.create, path: root, errno: errno)
      }
    }
  }

  /// Calls the body with the folder that holds the last name of a path, and that name.
  func inParent<Value>(
    of path: String, _ operation: DatasetError.Operation,
    _ body: (_ folder: Int32, _ name: String) throws -> Value
  ) throws -> Value {
    var names = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    precondition(
      names.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) },
      "no path below a run folder: \(path)")
    let last = names.removeLast()
    var current = folder
    defer { if current != folder { _ = systemClose(current) } }
    for name in names {
      let next = openat(current, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard next >= 0 else { throw fault(operation, path) }
      if current != folder { _ = systemClose(current) }
      current = next
    }
    return try body(current, last)
  }

  func fault(_ operation: DatasetError.Operation, _ path: String) -> DatasetError {
    let number = errno
    // Every folder on the way was made before: nothing but its removal explains this.
    if number == ENOENT && operation != .read {
      return DatasetError(
        .io, path: isRemoved ? root : shown(path),
        isRemoved
          ? "the folder was removed while it was in use; give the same command again"
          : "cannot \(operation.rawValue): a folder on the way was removed meanwhile; give the same command again",
        errno: number)
    }
    return DatasetError.system(operation, path: shown(path), errno: number)
  }

  /// Whether the folder has no name any more.
  private var isRemoved: Bool {
    var info = stat()
    return fstat(folder, &info) == 0 && info.st_nlink == 0
  }

  /// Makes a folder; false where one is there already.
  public func makeDirectory(_ path: String) throws -> Bool {
    try inParent(of: path, .create) { folder, name in
      if mkdirat(folder, name, 0o777) == 0 { return true }
      guard errno == EEXIST, let status = try self.status(path) else { throw fault(.create, path) }
      guard status.kind == .directory else {
        throw DatasetError(
          .cannotCreate, path: shown(path),
          "is \(status.kind.rawValue), expected a folder or nothing; remove it", errno: EEXIST)
      }
      return false
    }
  }

  /// Makes a file that must not exist and opens it for writing.
  public func createFile(_ path: String) throws -> Int32 {
    try inParent(of: path, .create) { folder, name in
      let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
      let file = retrying { openat(folder, name, flags, 0o666) }
      guard file >= 0 else { throw fault(.create, path) }
      return file
    }
  }

  /// Writes all bytes.
  public func write(_ bytes: [UInt8], to file: Int32, path: String) throws {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        systemWrite(file, buffer.baseAddress?.advanced(by: done), buffer.count - done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        if count == 0 { errno = EIO }
        throw fault(.write, path)
      }
      done += count
    }
  }

  /// Brings a file's bytes to the disk.
  public func synchronize(_ file: Int32, path: String) throws {
    // A failed sync is never tried again on the same file: the bytes may be gone though it then succeeds.
    guard retrying({ fsync(file) }) == 0 else { throw fault(.write, path) }
  }

  /// Closes a file; it is closed even where this throws.
  public func close(_ file: Int32, path: String) throws {
    guard systemClose(file) == 0 || errno == EINTR else { throw fault(.write, path) }
  }

  /// Gives a file or folder another name, in place of a file of that name.
  public func rename(_ path: String, to newPath: String) throws {
    try inParent(of: path, .rename) { folder, name in
      try inParent(of: newPath, .rename) { newFolder, newName in
        guard renameat(folder, name, newFolder, newName) == 0 else {
          throw fault(.rename, newPath)
        }
      }
    }
  }

  /// Gives a file of another folder a second name in this one.
  func link(_ path: String, of other: LocalFileSystem, to newPath: String) throws -> LinkOutcome {
    try other.inParent(of: path, .read) { folder, name in
      try inParent(of: newPath, .create) { newFolder, newName in
        try linkOutcome(linkat(folder, name, newFolder, newName, 0), newPath)
      }
    }
  }

  /// Gives a file a second name.
  public func link(_ path: String, to newPath: String) throws -> LinkOutcome {
    try inParent(of: path, .create) { folder, name in
      try inParent(of: newPath, .create) { newFolder, newName in
        try linkOutcome(linkat(folder, name, newFolder, newName, 0), newPath)
      }
    }
  }

  private func linkOutcome(_ result: Int32, _ path: String) throws -> LinkOutcome {
    if result == 0 { return .linked }
    switch errno {
    case EEXIST: return .exists
    case EPERM, EOPNOTSUPP, EMLINK, EXDEV, ENOSYS: return .unsupported
    default: throw fault(.create, path)
    }
  }

  /// Removes a file or link; nothing happens where there is none.
  public func removeFile(_ path: String) throws {
    try inParent(of: path, .remove) { folder, name in
      guard unlinkat(folder, name, 0) == 0 || errno == ENOENT else { throw fault(.remove, path) }
    }
  }

  /// Removes an empty folder; false where it is not empty.
  public func removeDirectory(_ path: String) throws -> Bool {
    try inParent(of: path, .remove) { folder, name in
      if unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return true }
      guard errno == ENOTEMPTY || errno == EEXIST else { throw fault(.remove, path) }
      return false
    }
  }

  /// What stands at a path; nil where nothing does.
  public func status(_ path: String) throws -> FileStatus? {
    try inParent(of: path, .read) { folder, name in
      var info = stat()
      guard fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 else {
        if errno == ENOENT { return nil }
        throw fault(.read, path)
      }
      return Self.status(info)
    }
  }

  private static func status(_ info: stat) -> FileStatus {
    let kind: FileStatus.Kind =
      switch info.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      case S_IFLNK: .link
      default: .other
      }
    return FileStatus(kind: kind, size: kind == .file ? Int(info.st_size) : 0)
  }

  /// The names in a folder, sorted.
  public func list(_ path: String) throws -> [String] {
    if path.isEmpty { return try names(of: ".", in: folder, path) }
    return try inParent(of: path, .read) { folder, name in try names(of: name, in: folder, path) }
  }

  private func names(of name: String, in folder: Int32, _ path: String) throws -> [String] {
    let file = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard file >= 0, let stream = fdopendir(file) else { throw fault(.read, path) }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw fault(.read, path) }
        break
      }
      let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
        String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// A regular file's bytes; throws where there are more than `limit`.
  public func read(_ path: String, limit: Int) throws -> [UInt8] {
    try inParent(of: path, .read) { folder, name in
      // O_NONBLOCK: a pipe put there must not hold us.
      let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
      let file = retrying { openat(folder, name, flags) }
      guard file >= 0 else { throw fault(.read, path) }
      defer { _ = systemClose(file) }
      var info = stat()
      guard fstat(file, &info) == 0 else { throw fault(.read, path) }
      let status = Self.status(info)
      guard status.kind == .file, status.size <= limit else {
        throw DatasetError(
          .malformed, path: shown(path),
          status.kind == .file
            ? "\(status.size) bytes, expected at most \(limit)"
            : "is \(status.kind.rawValue), expected a file")
      }
      return try readAll(file, path: path, limit: limit, expected: status.size)
    }
  }

  /// Reads to the end, wherever it is by now.
  func readAll(_ file: Int32, path: String, limit: Int, expected: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: min(max(expected, 64) + 1, 1 << 20))
    while bytes.count <= limit {
      let count = block.withUnsafeMutableBytes {
        systemRead(file, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw fault(.read, path) }
      if count == 0 { break }
      bytes += block[..<count]
    }
    return bytes
  }

  /// Brings a folder's names to the disk.
  public func synchronizeDirectory(_ path: String) throws {
    if path.isEmpty { return try synchronizeFolder(folder, path) }
    try inParent(of: path, .write) { folder, name in
      let file = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard file >= 0 else { throw fault(.write, path) }
      defer { _ = systemClose(file) }
      try synchronizeFolder(file, path)
    }
  }

  /// Brings everything that was written so far to the disk at once.
  public func synchronizeAll() throws { sync() }

  private func synchronizeFolder(_ file: Int32, _ path: String) throws {
    guard canBeSynced(file) else { throw fault(.write, path) }
  }
}

/// Brings a folder's names to the disk; true also where the file system cannot sync a folder and need not.
private func canBeSynced(_ folder: Int32) -> Bool {
  retrying { fsync(folder) } == 0 || errno == EINVAL || errno == EOPNOTSUPP
}

/// Calls again where a signal came between.
func retrying(_ call: () -> Int32) -> Int32 {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

// Inside the class its own methods of these names come first.
func systemClose(_ file: Int32) -> Int32 { close(file) }
private func systemWrite(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(file, bytes, count)
}
private func systemRead(_ file: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(file, bytes, count)
}
