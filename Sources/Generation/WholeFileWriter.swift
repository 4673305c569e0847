import Glibc

/// Writes a file that appears under its name when it is complete; without ``commit()`` nothing stays.
final class WholeFileWriter {
  private static let bufferSize = 1 << 20

  private let path: String
  private let temporary: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isCommitted = false

  /// Starts a file.
  ///
  /// - Throws: ``GenerationError`` where it cannot be made.
  init(_ path: String) throws {
    self.path = path
    temporary = "\(path).\(String(UInt64.random(in: 0...UInt64.max), radix: 16)).temporary"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw fault("cannot be made") }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    if !isCommitted { unlink(temporary) }
  }

  /// Appends bytes.
  ///
  /// - Throws: ``GenerationError`` where it cannot be written.
  func append(_ bytes: some Sequence<UInt8>) throws {
    buffer += bytes
    if buffer.count >= Self.bufferSize { try flush() }
  }

  /// Puts the file under its name, on disk.
  ///
  /// - Throws: ``GenerationError`` where it cannot be written.
  func commit() throws {
    try flush()
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw fault() }
    isCommitted = true
  }

  private func flush() throws {
    var rest = buffer[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw fault() }
      rest = rest.dropFirst(count)
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private func fault(_ doing: String = "cannot be written") -> GenerationError {
    let isFull = errno == ENOSPC || errno == EDQUOT
    return GenerationError(isFull ? .tryAgain : .unwritable, path, "\(doing): \(errorText())")
  }
}
