// Five bits a character, the lowest first, 0x20 for more to come, 48 added; from the fourth run on the difference from
// the run before the last is written, its sign in bit 0x10 of its last character.
extension RunLengthEncoding {
  private static let offset: UInt8 = 48
  private static let more = 0x20
  private static let sign = 0x10
  /// Characters of a number: 30 bits hold every difference between runs of a picture.
  private static let lengthLimit = 6

  /// The runs as the `counts` of a COCO file.
  public var compressed: String {
    var text: [UInt8] = []
    text.reserveCapacity(runs.count * 2)
    for (index, run) in runs.enumerated() {
      var rest = index > 2 ? run - runs[index - 2] : run
      var isLast = false
      while !isLast {
        var digit = rest & 0x1f
        rest >>= 5
        isLast = rest == (digit & Self.sign == 0 ? 0 : -1)
        if !isLast { digit |= Self.more }
        text.append(UInt8(digit) + Self.offset)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads the `counts` of a COCO file.
  ///
  /// - Parameters:
  ///   - compressed: the text.
  ///   - height: rows, the first number of `size`.
  ///   - width: columns, the second number of `size`.
  ///   - place: where it comes from, for messages.
  /// - Throws: ``ExportError`` `malformed` where a character or number is none, or the runs do not fill the picture.
  public init(compressed: String, height: Int, width: Int, place: String) throws {
    try Self.check(height: height, width: width, place: place)
    var joined = RunJoiner(total: height * width)
    var lastTwo = (0, 0)
    var count = 0
    var value = 0
    var digits = 0
    for (position, character) in compressed.utf8.enumerated() {
      guard (Self.offset..<Self.offset + 64).contains(character) else {
        throw ExportError(
          .malformed, place,
          "byte \(character) at place \(position) of the counts; expected 48 to 111")
      }
      guard digits < Self.lengthLimit else {
        throw ExportError(
          .malformed, place,
          "a number of more than \(Self.lengthLimit) characters at place \(position) of the counts")
      }
      let digit = Int(character - Self.offset)
      value |= (digit & 0x1f) << (5 * digits)
      digits += 1
      guard digit & Self.more == 0 else { continue }
      if digit & Self.sign != 0 { value |= -1 << (5 * digits) }
      if count > 2 { value += lastTwo.0 }
      try joined.append(value, place: place)
      lastTwo = (lastTwo.1, value)
      (value, digits, count) = (0, 0, count + 1)
    }
    guard digits == 0 else {
      throw ExportError(.malformed, place, "the counts end within a number")
    }
    self.init(unchecked: try joined.finish(place: place), height: height, width: width)
  }
}
