/// Little-endian numbers and runs of bytes, each checked against the end.
struct ByteReader {
  /// There are fewer bytes left than were asked for.
  struct End: Error {
    var position: Int
    var wanted: Int
    var left: Int
  }

  private let bytes: [UInt8]
  private(set) var position: Int

  init(_ bytes: [UInt8], at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  var left: Int { bytes.count - position }

  mutating func take(_ count: Int) throws(End) -> ArraySlice<UInt8> {
    guard count >= 0, count <= left else {
      throw End(position: position, wanted: count, left: left)
    }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func byte() throws(End) -> UInt8 {
    guard position < bytes.count else { throw End(position: position, wanted: 1, left: 0) }
    defer { position += 1 }
    return bytes[position]
  }

  /// An unsigned number of `size` bytes, at most 8.
  mutating func number(_ size: Int) throws(End) -> UInt64 {
    try take(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The bytes before the next newline, which is passed over.
  ///
  /// - Throws: ``End`` where there is none within `limit` bytes.
  mutating func line(limit: Int) throws(End) -> ArraySlice<UInt8> {
    let end = min(bytes.count, position + limit + 1)
    guard let newline = bytes[position..<end].firstIndex(of: 0x0A) else {
      throw End(position: position, wanted: limit + 1, left: left)
    }
    defer { position = newline + 1 }
    return bytes[position..<newline]
  }
}
