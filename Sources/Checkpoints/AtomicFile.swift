#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that appears under its name only when it is complete and on disk.
///
/// The bytes go to a temporary file beside it, which is synchronised, renamed and the folder synchronised.
/// Without ``commit()`` the temporary file is removed. A link under the final name is replaced, not followed,
/// and a reader that has the old file mapped keeps it.
final class AtomicFile {
  private let path: String
  private let folder: String
  private let temporary: String
  private var descriptor: Int32
  private var hasTemporary = false

  init(path: String) throws(CheckpointError) {
    let (folder, name) = splitPath(path)
    guard isPlainFileName(name) else {
      throw CheckpointError(.unwritable, file: path, "this is not a file name")
    }
    let suffix = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    self.path = path
    self.folder = folder
    temporary = joinedPath(folder, ".triptych-\(getpid())-\(suffix).tmp")
    descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw Self.failure(path, "cannot be created", errno)
    }
    hasTemporary = true
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if hasTemporary { unsafe unlink(temporary) }
  }

  /// Appends bytes.
  func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    var written = 0
    while written < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
      // Systems cut single writes near 2 GiB anyway.
      #if canImport(Glibc)
        let count = unsafe Glibc.write(descriptor, rest.baseAddress, min(rest.count, 1 << 30))
      #elseif canImport(Musl)
        let count = unsafe Musl.write(descriptor, rest.baseAddress, min(rest.count, 1 << 30))
      #else
        let count = unsafe Darwin.write(descriptor, rest.baseAddress, min(rest.count, 1 << 30))
      #endif
      if count < 0 {
        let number = errno
        if number == EINTR { continue }
        throw Self.failure(path, "cannot be written", number)
      }
      written += count
    }
  }

  /// Puts the complete file under its name.
  func commit() throws(CheckpointError) {
    try synchronise(descriptor, "cannot be written to disk")
    let closing = descriptor
    descriptor = -1
    guard close(closing) == 0 else { throw Self.failure(path, "cannot be written", errno) }
    guard unsafe rename(temporary, path) == 0 else {
      throw Self.failure(path, "cannot be put in place", errno)
    }
    hasTemporary = false
    let folderDescriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folderDescriptor >= 0 else {
      throw Self.failure(path, "its folder cannot be synchronised", errno)
    }
    defer { close(folderDescriptor) }
    try synchronise(folderDescriptor, "its folder cannot be synchronised")
  }

  private func synchronise(
    _ descriptor: Int32, _ complaint: String
  ) throws(CheckpointError) {
    while fsync(descriptor) != 0 {
      let number = errno
      // Some network and memory file systems have nothing to synchronise and say so.
      if number == EINVAL || number == ENOTSUP { return }
      if number != EINTR { throw Self.failure(path, complaint, number) }
    }
  }

  private static func failure(
    _ path: String, _ complaint: String, _ number: Int32
  ) -> CheckpointError {
    CheckpointError(
      .unwritable, file: path, errorNumber: number, "\(complaint): \(systemMessage(number))")
  }
}
