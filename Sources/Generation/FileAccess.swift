import Glibc

/// The current text of `errno`.
package func errorText() -> String { String(cString: strerror(errno)) }

/// Reading small files that people write.
package enum FileAccess {
  /// Whether `path` is a folder, links followed.
  package static func isFolder(_ path: String) -> Bool { mode(path) == S_IFDIR }

  /// Whether `path` is a regular file, links followed.
  package static func isFile(_ path: String) -> Bool { mode(path) == S_IFREG }

  /// The folder a path lies in.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The names in a folder, sorted; empty where it cannot be listed.
  static func names(in folder: String) -> [String] {
    do { return try list(folder) } catch { return [] }
  }

  /// The names in a folder, hidden ones only on request, sorted.
  ///
  /// - Throws: ``GenerationError`` where it cannot be listed.
  package static func list(_ folder: String, hidden: Bool = false) throws -> [String] {
    guard let handle = opendir(folder) else {
      let isMissing = errno == ENOENT
      throw GenerationError(
        isMissing ? .missingInput : .unreadable, folder, "cannot be listed: \(errorText())")
    }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") || hidden && name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// The bytes of a regular file.
  ///
  /// - Throws: ``GenerationError`` where it is absent, unreadable, no file, or larger than `limit` bytes.
  package static func bytes(of path: String, limit: Int) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code: GenerationError.Code =
        errno == ENOENT || errno == ENOTDIR ? .missingInput : .unreadable
      throw GenerationError(code, path, "cannot be opened: \(errorText())")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw GenerationError(.unreadable, path, "is not a regular file")
    }
    guard status.st_size <= limit else {
      throw GenerationError(
        .malformed, path, "has \(status.st_size) bytes; at most \(limit) are read")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw GenerationError(.unreadable, path, "cannot be read: \(errorText())")
      }
      if count == 0 { break }
      filled += count
    }
    return Array(bytes[..<filled])
  }

  /// The size of a regular file in bytes.
  ///
  /// - Throws: ``GenerationError`` where it is absent or no file.
  static func size(of path: String) throws -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw GenerationError(
        isMissing ? .missingInput : .unreadable, path, "cannot be opened: \(errorText())")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw GenerationError(.unreadable, path, "is not a regular file")
    }
    return Int(status.st_size)
  }

  /// Calls `body` with the bytes of a file, piece by piece.
  ///
  /// - Throws: ``GenerationError`` where it is absent or cannot be read; what `body` throws.
  static func forEachPiece(
    of path: String, size: Int, _ body: (ArraySlice<UInt8>) throws -> Void
  ) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw GenerationError(
        isMissing ? .missingInput : .unreadable, path, "cannot be opened: \(errorText())")
    }
    defer { close(descriptor) }
    var piece = [UInt8](repeating: 0, count: size)
    while true {
      let count = piece.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw GenerationError(.unreadable, path, "cannot be read: \(errorText())")
      }
      if count == 0 { return }
      try body(piece[..<count])
    }
  }

  /// The text of a file of the system, whose size is not known before it is read.
  static func text(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }

  private static func mode(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}

extension FileAccess {
  /// The lines of a small text file that are not blank, with their numbers from 1, spaces around them removed.
  ///
  /// - Throws: ``GenerationError`` where it cannot be read, is larger than a YAML file may be, or is no UTF-8.
  static func lines(of file: String) throws -> [(number: Int, text: String)] {
    let bytes = try bytes(of: file, limit: YAMLNode.sizeLimit)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw GenerationError(.malformed, file, "is not UTF-8 text")
    }
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    return lines.enumerated().map { ($0 + 1, trimmed($1)) }.filter { !$1.isEmpty }
  }
}

/// Text without white space around it.
func trimmed(_ text: Substring) -> String {
  var text = text
  while text.first?.isWhitespace == true { text.removeFirst() }
  while text.last?.isWhitespace == true { text.removeLast() }
  return String(text)
}
