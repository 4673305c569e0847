#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A regular file's bytes, mapped into memory for reading and unmapped when the last user lets go.
///
/// The system reads pages as they are touched and may drop them again, so that mapping a large checkpoint
/// costs no memory by itself. Where somebody cuts the file short, touching the lost pages would end the
/// program; ``checkSize()`` right before a read turns that into an error.
///
/// The bytes are never written through this mapping. That is what makes the unchecked `Sendable` true. The
/// mapping's address leaves this class only as the argument of ``withBytes(_:_:)``, checked against its size.
@safe public final class MappedFile: @unchecked Sendable {
  /// The path the file was opened under.
  public let path: String
  /// The size of the mapping.
  public let byteCount: Int

  private let file: RegularFile
  private let base: UnsafeRawPointer

  /// Maps a whole file.
  ///
  /// - Throws: ``CheckpointError`` where the file is missing, empty, not readable or not a regular file.
  public init(path: String) throws {
    file = try RegularFile(path: path)
    guard file.byteCount > 0 else {
      throw CheckpointError(.malformed, file: path, "the file is empty")
    }
    let address = unsafe mmap(nil, file.byteCount, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
    // MAP_FAILED, which the importer does not know.
    guard let address = unsafe address, unsafe address != UnsafeMutableRawPointer(bitPattern: -1)
    else {
      let number = errno
      throw CheckpointError(
        .unreadable, file: path, errorNumber: number,
        "cannot be mapped into memory: \(systemMessage(number))")
    }
    self.path = path
    byteCount = file.byteCount
    unsafe base = UnsafeRawPointer(address)
  }

  deinit { unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount) }

  /// Makes sure that the file is still as long as when it was mapped.
  ///
  /// - Throws: ``CheckpointError`` where it was cut short.
  public func checkSize() throws {
    let now = try file.currentByteCount()
    guard now >= byteCount else {
      throw CheckpointError(
        .unreadable, file: path,
        "the file was cut short while in use: found \(now) bytes, expected \(byteCount)")
    }
  }

  /// Reads a range of bytes in place.
  ///
  /// - Precondition: `range` lies within the file.
  /// - Throws: ``CheckpointError`` where the file was cut short, and what `body` throws.
  public func withBytes<R>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> R
  ) throws -> R {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= byteCount,
      "MappedFile: bytes \(range) of \(byteCount)")
    try checkSize()
    let bytes = unsafe UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    return try withExtendedLifetime(self) { try unsafe body(bytes) }
  }

  /// Tells the system that a range has been used and need not stay in memory: only whole pages inside it
  /// are dropped, and a later read brings them back from the file.
  ///
  /// - Precondition: `range` lies within the file.
  public func discard(_ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= byteCount,
      "MappedFile: bytes \(range) of \(byteCount)")
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    guard page > 0 else { return }
    let first = (range.lowerBound + page - 1) / page * page
    let end = range.upperBound / page * page
    guard first < end else { return }
    // Advice only: nothing depends on its success.
    _ = unsafe madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, MADV_DONTNEED)
  }
}
