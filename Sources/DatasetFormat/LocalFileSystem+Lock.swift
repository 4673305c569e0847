#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The system's lock on an open file goes with its process, so a lock never outlives a crash. Some network file
// systems grant it to everyone: the owner's process, written into the file, is asked there.
extension LocalFileSystem {
  /// Takes a lock, without waiting.
  public func acquireLock(_ path: String, exclusively: Bool) throws -> LockOutcome {
    // The file may be removed by its last owner between opening and locking; then try the next one.
    for _ in 0..<100 {
      let file = try inParent(of: path, .lock) { folder, name in
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let file = retrying { openat(folder, name, flags, 0o666) }
        guard file >= 0 else { throw fault(.lock, path) }
        return file
      }
      var isKept = false
      defer { if !isKept { _ = systemClose(file) } }
      let owner = LockOwner(
        bytes: try readAll(file, path: path, limit: 4096, expected: 64))
      if retrying({ flock(file, (exclusively ? LOCK_EX : LOCK_SH) | LOCK_NB) }) != 0 {
        if errno == EWOULDBLOCK {
          // What a process that is dead by now wrote says nothing about who holds it.
          return .held(processID: owner?.isRunning == true ? owner?.processID : nil)
        }
        guard errno == ENOLCK || errno == EOPNOTSUPP else { throw fault(.lock, path) }
      }
      guard try isStillThere(file, at: path) else { continue }
      if let owner, owner.processID != Int(getpid()), owner.isRunning {
        return .held(processID: owner.processID)
      }
      if exclusively {
        guard ftruncate(file, 0) == 0, lseek(file, 0, SEEK_SET) == 0 else {
          throw fault(.lock, path)
        }
        try write(Array(LockOwner.current.text.utf8), to: file, path: path)
      }
      isKept = true
      return .acquired(file)
    }
    return .held(processID: nil)
  }

  /// Whether no one else holds a shared lock; it is exclusive afterwards.
  public func upgradeLock(_ lock: Int32) -> Bool {
    retrying { flock(lock, LOCK_EX | LOCK_NB) } == 0
  }

  /// Gives a lock back and, on request, removes its file.
  public func releaseLock(_ lock: Int32, path: String, removing: Bool) {
    if removing { _ = Result { try removeFile(path) } }
    // A child that was forked and has not yet begun its program shares the lock; closing alone would leave it with it.
    _ = flock(lock, LOCK_UN)
    _ = systemClose(lock)
  }

  private func isStillThere(_ file: Int32, at path: String) throws -> Bool {
    var ours = stat()
    var theirs = stat()
    guard fstat(file, &ours) == 0 else { throw fault(.lock, path) }
    return try inParent(of: path, .lock) { folder, name in
      guard fstatat(folder, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 else {
        if errno == ENOENT { return false }
        throw fault(.lock, path)
      }
      return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev
    }
  }
}

/// The process that wrote a lock file: its id, and when it started, since ids are used again.
private struct LockOwner {
  let processID: Int
  let start: String

  static var current: LockOwner {
    let processID = Int(getpid())
    return LockOwner(processID: processID, start: startOfProcess(processID) ?? "-")
  }

  private init(processID: Int, start: String) {
    self.processID = processID
    self.start = start
  }

  init?(bytes: [UInt8]) {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard words.count == 2, let processID = Int(words[0]), processID > 0 else { return nil }
    self.init(processID: processID, start: String(words[1]))
  }

  var text: String { "\(processID) \(start)" }

  var isRunning: Bool { start != "-" && Self.startOfProcess(processID) == start }

  /// The start of this machine and the process's start since then; nil where the system does not tell.
  private static func startOfProcess(_ processID: Int) -> String? {
    guard let boot = contents("/proc/sys/kernel/random/boot_id"),
      let state = contents("/proc/\(processID)/stat"),
      let end = state.lastIndex(of: ")")
    else { return nil }
    // proc(5): the start time is field 22; the second field ends with the parenthesis.
    let fields = state[end...].split(separator: " ")
    guard fields.count > 20 else { return nil }
    return "\(boot.split(separator: "\n").first ?? "")/\(fields[20])"
  }

  private static func contents(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { _ = systemClose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
