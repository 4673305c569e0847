/// Numbers of a TIFF structure in its own byte order; nil beyond its end.
struct TIFFNumbers {
  let isLittleEndian: Bool
  private let bytes: [UInt8]

  /// Checks the header; nil where it is none.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 8, bytes[0] == bytes[1] else { return nil }
    switch bytes[0] {
    case UInt8(ascii: "I"): isLittleEndian = true
    case UInt8(ascii: "M"): isLittleEndian = false
    default: return nil
    }
    self.bytes = bytes
    guard short(at: 2) == 42 else { return nil }
  }

  func short(at offset: Int) -> Int? { number(at: offset, size: 2) }

  func wide(at offset: Int) -> Int? { number(at: offset, size: 4) }

  /// Offsets come from 32-bit fields, so sums of a few of them cannot overflow.
  func number(at offset: Int, size: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - size else { return nil }
    let field = bytes[offset..<offset + size]
    return isLittleEndian
      ? field.reversed().reduce(0) { $0 << 8 | Int($1) } : field.reduce(0) { $0 << 8 | Int($1) }
  }
}
