extension JSONValue {
  /// Parses a whole text, strictly: RFC 8259, valid UTF-8, no name twice in an object, nothing behind the
  /// value, numbers finite and whole ones within 64 bits.
  ///
  /// - Parameters:
  ///   - bytes: the text.
  ///   - depthLimit: how deep arrays and objects may nest.
  /// - Returns: the value.
  /// - Throws: ``JSONError`` with the byte position.
  public static func parse(
    _ bytes: some Collection<UInt8>, depthLimit: Int = 64
  ) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: Array(bytes), depthLimit: depthLimit)
    return try parser.document()
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  let depthLimit: Int
  var position = 0

  mutating func document() throws(JSONError) -> JSONValue {
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    if position < bytes.count {
      throw fault("unexpected \(shown(bytes[position])) after the value")
    }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard let byte = peek else { throw fault("the text ends where a value was expected") }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw fault("found \(shown(byte)), expected a value")
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < depthLimit else { throw fault("nested deeper than \(depthLimit)") }
    position += 1
    var members: [JSONValue.Member] = []
    var names = Set<String>()
    skipSpace()
    if take("}") { return .object([]) }
    while true {
      guard peek == UInt8(ascii: "\"") else { throw fault("expected a member name in quotes") }
      let start = position
      let name = try string()
      guard names.insert(name).inserted else {
        throw JSONError(offset: start, message: "the name \"\(name)\" occurs twice")
      }
      skipSpace()
      guard take(":") else { throw fault("expected ':' after the name \"\(name)\"") }
      skipSpace()
      members.append(JSONValue.Member(name, try value(depth: depth + 1)))
      skipSpace()
      if take(",") {
        skipSpace()
        continue
      }
      guard take("}") else { throw fault("expected ',' or '}' in an object") }
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < depthLimit else { throw fault("nested deeper than \(depthLimit)") }
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return .array([]) }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      if take(",") {
        skipSpace()
        continue
      }
      guard take("]") else { throw fault("expected ',' or ']' in an array") }
      return .array(elements)
    }
  }

  private mutating func literal(
    _ text: StaticString, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    let wanted = Array("\(text)".utf8)
    guard position + wanted.count <= bytes.count,
      Array(bytes[position..<position + wanted.count]) == wanted
    else { throw fault("expected '\(text)'") }
    position += wanted.count
    return value
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    var isWhole = true
    _ = take("-")
    guard let first = peek, isDigit(first) else { throw fault("expected a digit") }
    if first == UInt8(ascii: "0") { position += 1 } else { skipDigits() }
    if take(".") {
      isWhole = false
      guard let next = peek, isDigit(next) else { throw fault("expected a digit after '.'") }
      skipDigits()
    }
    if take("e") || take("E") {
      isWhole = false
      if !take("+") { _ = take("-") }
      guard let next = peek, isDigit(next) else { throw fault("expected a digit in the exponent") }
      skipDigits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole {
      guard let value = Int64(text) else {
        throw JSONError(offset: start, message: "\(text.prefix(40)) does not fit 64 bits")
      }
      return .integer(value)
    }
    guard let value = Double(text), value.isFinite else {
      throw JSONError(offset: start, message: "\(text.prefix(40)) is not a finite number")
    }
    return .number(value)
  }

  private mutating func string() throws(JSONError) -> String {
    let start = position
    position += 1
    var text: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw JSONError(offset: start, message: "the string is not valid UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20:
        throw JSONError(offset: position - 1, message: "unescaped control character in a string")
      default: text.append(byte)
      }
    }
    throw JSONError(offset: start, message: "the string does not end")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = peek else { throw fault("the string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if code >= 0xd800 && code < 0xdc00 {
        guard take("\\"), take("u") else { throw fault("half of a surrogate pair") }
        let low = try hexadecimal()
        guard low >= 0xdc00 && low < 0xe000 else { throw fault("half of a surrogate pair") }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw fault("half of a surrogate pair") }
      text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
    default: throw fault("unknown escape \\\(shown(byte))")
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw fault("expected four hexadecimal digits") }
    var code: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw fault("expected four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
    }
    position += 4
    return code
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: scalar) else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
      position += 1
    }
  }

  private mutating func skipDigits() {
    while let byte = peek, isDigit(byte) { position += 1 }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private func shown(_ byte: UInt8) -> String {
    byte > 0x20 && byte < 0x7f ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
  }

  private func fault(_ message: String) -> JSONError {
    JSONError(offset: position, message: message)
  }
}
