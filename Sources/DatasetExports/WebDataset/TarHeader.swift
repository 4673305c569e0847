/// The header of a regular file in a tar archive: POSIX ustar with nothing in it that changes from day to day.
///
/// - Source: POSIX.1-1988, ustar interchange format.
struct TarHeader {
  /// Bytes of a block; headers are one, contents fill whole ones.
  static let blockSize = 512
  /// Archives are padded to this many bytes, as tar writes them.
  static let recordSize = 10_240

  /// The 512 bytes.
  let bytes: [UInt8]

  /// Describes a member.
  ///
  /// - Precondition: the name is ASCII, at most 100 bytes; the size is less than 8 GiB.
  init(name: String, size: Int) {
    precondition(
      (1...100).contains(name.utf8.count) && name.utf8.allSatisfy { $0 < 0x80 } && size >= 0
        && size < 1 << 33, "a tar member \"\(name)\" of \(size) bytes")
    var block = [UInt8](repeating: 0, count: Self.blockSize)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
    }
    func put(octal number: Int, digits: Int, at offset: Int) {
      let text = String(number, radix: 8)
      put(String(repeating: "0", count: digits - text.count) + text, at: offset)
    }
    put(name, at: 0)
    put(octal: 0o644, digits: 7, at: 100)
    put(octal: 0, digits: 7, at: 108)
    put(octal: 0, digits: 7, at: 116)
    put(octal: size, digits: 11, at: 124)
    put(octal: 0, digits: 11, at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar\u{0}00", at: 257)
    put(octal: 0, digits: 7, at: 329)
    put(octal: 0, digits: 7, at: 337)
    let sum = block.reduce(0) { $0 + Int($1) }
    put(octal: sum, digits: 6, at: 148)
    block[154] = 0
    bytes = block
  }
}
