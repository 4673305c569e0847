import DatasetFormat
import Foundation

/// A file system whose n-th operation fails, once or with all that follow, as in a crash.
final class FailingFileSystem: FileSystem {
  enum Manner: CaseIterable, Sendable { case once, forever }

  let inner: any FileSystem
  let failing: Int
  let manner: Manner
  let number: Int32
  private(set) var count = 0

  init(
    root: String, failing: Int = .max, manner: Manner = .once, errno number: Int32 = 0
  ) throws {
    inner = try LocalFileSystem(root: root, creating: true)
    self.failing = failing
    self.manner = manner
    self.number = number
  }

  var root: String { inner.root }
  var hasFailed: Bool { count >= failing }

  private var isFailing: Bool {
    count += 1
    return manner == .once ? count == failing : count >= failing
  }

  private func check(_ operation: DatasetError.Operation, _ path: String) throws {
    if isFailing { throw DatasetError.system(operation, path: path, errno: number) }
  }

  func makeDirectory(_ path: String) throws -> Bool {
    try check(.create, path)
    return try inner.makeDirectory(path)
  }
  func createFile(_ path: String) throws -> Int32 {
    try check(.create, path)
    return try inner.createFile(path)
  }
  func write(_ bytes: [UInt8], to file: Int32, path: String) throws {
    if isFailing {
      try inner.write(Array(bytes.prefix(bytes.count / 2)), to: file, path: path)
      throw DatasetError.system(.write, path: path, errno: number)
    }
    try inner.write(bytes, to: file, path: path)
  }
  func synchronize(_ file: Int32, path: String) throws {
    // Without the wait for the disk: what is synced shows only after a loss of power.
    try check(.write, path)
  }
  func close(_ file: Int32, path: String) throws {
    try inner.close(file, path: path)
    try check(.write, path)
  }
  func rename(_ path: String, to newPath: String) throws {
    try check(.rename, path)
    try inner.rename(path, to: newPath)
  }
  func link(_ path: String, to newPath: String) throws -> LinkOutcome {
    try check(.create, path)
    return try inner.link(path, to: newPath)
  }
  func removeFile(_ path: String) throws {
    try check(.remove, path)
    try inner.removeFile(path)
  }
  func removeDirectory(_ path: String) throws -> Bool {
    try check(.remove, path)
    return try inner.removeDirectory(path)
  }
  func list(_ path: String) throws -> [String] {
    try check(.read, path)
    return try inner.list(path)
  }
  func status(_ path: String) throws -> FileStatus? {
    try check(.read, path)
    return try inner.status(path)
  }
  func read(_ path: String, limit: Int) throws -> [UInt8] {
    try check(.read, path)
    return try inner.read(path, limit: limit)
  }
  func synchronizeDirectory(_ path: String) throws {
    try check(.write, path)
  }
  func synchronizeAll() throws { try check(.write, "") }
  func acquireLock(_ path: String, exclusively: Bool) throws -> LockOutcome {
    try check(.lock, path)
    return try inner.acquireLock(path, exclusively: exclusively)
  }
  func upgradeLock(_ lock: Int32) -> Bool { inner.upgradeLock(lock) }
  func releaseLock(_ lock: Int32, path: String, removing: Bool) {
    // A killed process gives its locks back and removes nothing.
    let isDead = manner == .forever && hasFailed
    inner.releaseLock(lock, path: path, removing: removing && !isDead)
  }
}

/// A file system without second names, as on some sticks and shares.
final class LinklessFileSystem: FileSystem {
  let inner: any FileSystem
  init(root: String) throws { inner = try LocalFileSystem(root: root, creating: true) }
  var root: String { inner.root }
  func makeDirectory(_ path: String) throws -> Bool { try inner.makeDirectory(path) }
  func createFile(_ path: String) throws -> Int32 { try inner.createFile(path) }
  func write(_ bytes: [UInt8], to file: Int32, path: String) throws {
    try inner.write(bytes, to: file, path: path)
  }
  func synchronize(_ file: Int32, path: String) throws {
    try inner.synchronize(file, path: path)
  }
  func close(_ file: Int32, path: String) throws { try inner.close(file, path: path) }
  func rename(_ path: String, to newPath: String) throws {
    try inner.rename(path, to: newPath)
  }
  func link(_ path: String, to newPath: String) throws -> LinkOutcome { .unsupported }
  func removeFile(_ path: String) throws { try inner.removeFile(path) }
  func removeDirectory(_ path: String) throws -> Bool { try inner.removeDirectory(path) }
  func list(_ path: String) throws -> [String] { try inner.list(path) }
  func status(_ path: String) throws -> FileStatus? { try inner.status(path) }
  func read(_ path: String, limit: Int) throws -> [UInt8] { try inner.read(path, limit: limit) }
  func synchronizeDirectory(_ path: String) throws { try inner.synchronizeDirectory(path) }
  func synchronizeAll() throws { try inner.synchronizeAll() }
  func acquireLock(_ path: String, exclusively: Bool) throws -> LockOutcome {
    try inner.acquireLock(path, exclusively: exclusively)
  }
  func upgradeLock(_ lock: Int32) -> Bool { inner.upgradeLock(lock) }
  func releaseLock(_ lock: Int32, path: String, removing: Bool) {
    inner.releaseLock(lock, path: path, removing: removing)
  }
}
