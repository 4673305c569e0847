import Glibc

/// Reads files line by line without holding them.
public enum LineReader {
  /// The longest line read, in bytes.
  public static let lineLimit = 64 << 20

  /// Calls `body` with each line, without its end, and its number from 1.
  ///
  /// - Throws: ``GenerationError`` where the file is absent, unreadable or has too long a line; what `body` throws.
  public static func forEachLine(
    of path: String, _ body: (ArraySlice<UInt8>, Int) throws -> Void
  ) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw GenerationError(
        isMissing ? .missingInput : .unreadable, path, "cannot be opened: \(errorText())")
    }
    defer { close(descriptor) }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    var held: [UInt8] = []
    var number = 0
    func take(_ line: ArraySlice<UInt8>) throws {
      number += 1
      try body(line.last == UInt8(ascii: "\r") ? line.dropLast() : line, number)
    }
    while true {
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw GenerationError(.unreadable, path, "cannot be read: \(errorText())")
      }
      if count == 0 { break }
      var rest = chunk[..<count]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        held += rest[..<end]
        try take(held[...])
        held.removeAll(keepingCapacity: true)
        rest = rest[(end + 1)...]
      }
      held += rest
      guard held.count <= lineLimit else {
        throw GenerationError(
          .malformed, "\(path):\(number + 1)", "the line is longer than \(lineLimit) bytes")
      }
    }
    if !held.isEmpty { try take(held[...]) }
  }
}
