import DatasetFormat

/// The machine's files, of which one operation fails as on a full disk; syncing only counts.
final class FailingFileSystem: FileSystem {
  private let inner: LocalFileSystem
  private let failing: Int
  private var count = 0
  private let diskFull: Int32 = 28

  init(root: String, failing: Int) throws {
    inner = try LocalFileSystem(root: root, creating: true)
    self.failing = failing
  }

  var root: String { inner.root }
  var hasFailed: Bool { count >= failing }

  private func step(_ operation: DatasetError.Operation, _ path: String) throws {
    count += 1
    if count == failing { throw DatasetError.system(operation, path: path, errno: diskFull) }
  }

  func makeDirectory(_ path: String) throws -> Bool {
    try step(.create, path)
    return try inner.makeDirectory(path)
  }
  func createFile(_ path: String) throws -> Int32 {
    try step(.create, path)
    return try inner.createFile(path)
  }
  func write(_ bytes: [UInt8], to file: Int32, path: String) throws {
    try step(.write, path)
    try inner.write(bytes, to: file, path: path)
  }
  func synchronize(_ file: Int32, path: String) throws { try step(.write, path) }
  func close(_ file: Int32, path: String) throws {
    try inner.close(file, path: path)
    try step(.write, path)
  }
  func rename(_ path: String, to newPath: String) throws {
    try step(.rename, path)
    try inner.rename(path, to: newPath)
  }
  func link(_ path: String, to newPath: String) throws -> LinkOutcome {
    try inner.link(path, to: newPath)
  }
  func removeFile(_ path: String) throws {
    try step(.remove, path)
    try inner.removeFile(path)
  }
  func removeDirectory(_ path: String) throws -> Bool {
    try step(.remove, path)
    return try inner.removeDirectory(path)
  }
  func list(_ path: String) throws -> [String] { try inner.list(path) }
  func status(_ path: String) throws -> FileStatus? { try inner.status(path) }
  func read(_ path: String, limit: Int) throws -> [UInt8] {
    try inner.read(path, limit: limit)
  }
  func synchronizeDirectory(_ path: String) throws { try step(.write, path) }
  func acquireLock(_ path: String, exclusively: Bool) throws -> LockOutcome {
    try step(.lock, path)
    return try inner.acquireLock(path, exclusively: exclusively)
  }
  func upgradeLock(_ lock: Int32) -> Bool { inner.upgradeLock(lock) }
  func releaseLock(_ lock: Int32, path: String, removing: Bool) {
    inner.releaseLock(lock, path: path, removing: removing)
  }
}
