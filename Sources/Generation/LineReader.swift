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
    var held: [UInt8] = []
    var number = 0
    func take(_ line: ArraySlice<UInt8>) throws {
      number += 1
      try body(line.last == UInt8(ascii: "\r") ? line.dropLast() : line, number)
    }
    try FileAccess.forEachPiece(of: path, size: 1 << 16) { piece in
      var rest = piece
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
