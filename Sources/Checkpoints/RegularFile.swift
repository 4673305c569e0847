public import CanonicalJSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A regular file open for reading; closed when the last user lets go.
public final class RegularFile: Sendable {
  /// The path the file was opened under.
  public let path: String
  /// The size in bytes when it was opened.
  public let byteCount: Int
  let descriptor: Int32

  /// Opens a file; links are followed, folders, pipes and devices refused.
  ///
  /// - Throws: ``CheckpointError`` where it is missing, cannot be opened or is not a regular file.
  public init(path: String) throws(CheckpointError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw CheckpointError(.missingFile, file: path, "this is not a file name")
    }
    // A pipe without a writer must not hang the program.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let number = errno
      if number == ENOENT || number == ENOTDIR {
        throw CheckpointError(
          .missingFile, file: path, errorNumber: number, "there is no such file")
      }
      throw CheckpointError(
        .unreadable, file: path, errorNumber: number,
        "cannot be opened: \(systemMessage(number))")
    }
    do {
      byteCount = try Self.size(of: descriptor, path: path)
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The size now.
  func currentByteCount() throws(CheckpointError) -> Int {
    try Self.size(of: descriptor, path: path)
  }

  /// All bytes, copied; for small files such as configurations.
  ///
  /// - Throws: ``CheckpointError`` where there are more than `limit`, or they cannot be read.
  public func contents(limit: Int) throws(CheckpointError) -> [UInt8] {
    guard byteCount <= limit else {
      throw CheckpointError(
        .malformed, file: path, "the file has \(byteCount) bytes, at most \(limit) are accepted")
    }
    var bytes = [UInt8](repeating: 0, count: byteCount)
    var filled = 0
    while filled < byteCount {
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
        return unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(filled))
      }
      if count < 0 {
        let number = errno
        if number == EINTR { continue }
        throw CheckpointError(
          .unreadable, file: path, errorNumber: number,
          "cannot be read: \(systemMessage(number))")
      }
      guard count > 0 else {
        throw CheckpointError(
          .unreadable, file: path, "the file ended at byte \(filled) of \(byteCount) while read")
      }
      filled += count
    }
    return bytes
  }

  /// The contents as JSON with an object at the top.
  ///
  /// - Parameters:
  ///   - limit: the most bytes that are read.
  ///   - infinities: whether `Infinity` and `-Infinity` are numbers, as in configurations that diffusers saves.
  /// - Returns: the object.
  /// - Throws: ``CheckpointError`` as ``contents(limit:)`` does, or with the byte position of a fault.
  public func jsonObject(
    limit: Int, infinities: Bool = false
  ) throws(CheckpointError) -> JSONValue {
    let bytes = try contents(limit: limit)
    let value: JSONValue
    do {
      value = try JSONValue.parse(bytes, infinities: infinities)
    } catch {
      throw CheckpointError(.malformed, file: path, "is not valid JSON: \(error)")
    }
    guard value.members != nil else {
      throw CheckpointError(
        .malformed, file: path, "found \(value.kind) at the top, expected an object")
    }
    return value
  }

  private static func size(
    of descriptor: Int32, path: String
  ) throws(CheckpointError) -> Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let number = errno
      throw CheckpointError(
        .unreadable, file: path, errorNumber: number,
        "its size cannot be read: \(systemMessage(number))")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw CheckpointError(.unreadable, file: path, "is a folder, expected a file")
    default: throw CheckpointError(.unreadable, file: path, "is not a regular file")
    }
    guard let size = Int(exactly: status.st_size), size >= 0 else {
      throw CheckpointError(.unreadable, file: path, "has an impossible size")
    }
    return size
  }
}

/// The system's words for an error number.
func systemMessage(_ number: Int32) -> String {
  guard let text = unsafe strerror(number) else { return "error \(number)" }
  return unsafe String(cString: text)
}

/// What is found under a path.
enum PathKind {
  case nothing
  case folder
  case other

  /// Looks; links are followed.
  init(_ path: String) throws(CheckpointError) {
    var status = stat()
    guard unsafe stat(path, &status) != 0 else {
      self = status.st_mode & S_IFMT == S_IFDIR ? .folder : .other
      return
    }
    let number = errno
    guard number == ENOENT || number == ENOTDIR else {
      throw CheckpointError(
        .unreadable, file: path, errorNumber: number,
        "cannot be looked at: \(systemMessage(number))")
    }
    self = .nothing
  }
}

/// The names in a folder, sorted.
func folderNames(_ path: String) throws(CheckpointError) -> [String] {
  guard let folder = unsafe opendir(path) else {
    let number = errno
    throw CheckpointError(
      .unreadable, file: path, errorNumber: number,
      "the folder cannot be listed: \(systemMessage(number))")
  }
  defer { unsafe closedir(folder) }
  var names: [String] = []
  while let entry = unsafe readdir(folder) {
    let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names.sorted()
}
