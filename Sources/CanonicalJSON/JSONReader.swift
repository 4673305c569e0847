/// Reads a JSON text piece by piece, so that a large text need not become a tree first.
///
/// The grammar is as strict as that of ``JSONValue/parse(_:depthLimit:infinities:)``, which is built on it. The
/// caller says what it expects next; anything else is an error with its byte position:
///
///     var object = try reader.beginObject()
///     while let name = try reader.nextName(in: &object) { … read one value … }
///     try reader.end()
public struct JSONReader {
  /// How far an object has been read, and the names met in it.
  public struct ObjectProgress {
    fileprivate var fewNames: [String] = []
    fileprivate var manyNames: Set<String> = []

    /// Small objects are searched, large ones hashed: most have a handful of names.
    fileprivate mutating func insert(_ name: String) -> Bool {
      if manyNames.isEmpty {
        if fewNames.contains(name) { return false }
        fewNames.append(name)
        if fewNames.count > 12 { manyNames = Set(fewNames) }
        return true
      }
      return manyNames.insert(name).inserted
    }
  }

  /// How far an array has been read.
  public struct ArrayProgress {
    fileprivate var isEmpty = true
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private let depthLimit: Int
  private let infinities: Bool
  private var depth = 0
  private var position = 0

  /// Starts at the first byte of a text.
  ///
  /// - Parameters:
  ///   - bytes: the text.
  ///   - depthLimit: how deep arrays and objects may nest.
  ///   - infinities: whether ``value()`` takes `Infinity` and `-Infinity` for numbers, as Python's `json` writes them.
  /// - Precondition: `bytes` stays valid as long as the reader is used.
  public init(
    _ bytes: UnsafeBufferPointer<UInt8>, depthLimit: Int = 64, infinities: Bool = false
  ) {
    self.bytes = bytes
    self.depthLimit = depthLimit
    self.infinities = infinities
  }

  /// The position of the next byte, from 0.
  public var offset: Int { position }

  /// Steps into an object.
  ///
  /// - Throws: ``JSONError`` where something else comes next, or at the depth limit.
  public mutating func beginObject() throws(JSONError) -> ObjectProgress {
    try begin(UInt8(ascii: "{"), "an object")
    return ObjectProgress()
  }

  /// The next name of an object, leaving the reader in front of its value; nil at the object's end.
  ///
  /// - Throws: ``JSONError`` where the grammar is broken or the name was there before (names that differ
  ///   only in their Unicode normal form count as the same).
  public mutating func nextName(in object: inout ObjectProgress) throws(JSONError) -> String? {
    skipSpace()
    if take(UInt8(ascii: "}")) {
      depth -= 1
      return nil
    }
    if !object.fewNames.isEmpty {
      guard take(UInt8(ascii: ",")) else { throw fault("expected ',' or '}' in an object") }
      skipSpace()
    }
    guard peek == UInt8(ascii: "\"") else { throw fault("expected a member name in quotes") }
    let start = position
    let name = try string()
    guard object.insert(name) else {
      throw JSONError(
        offset: start, message: "the name \"\(JSONError.excerpt(of: name))\" occurs twice")
    }
    skipSpace()
    guard take(UInt8(ascii: ":")) else {
      throw fault("expected ':' after the name \"\(JSONError.excerpt(of: name))\"")
    }
    return name
  }

  /// Steps into an array.
  ///
  /// - Throws: ``JSONError`` where something else comes next, or at the depth limit.
  public mutating func beginArray() throws(JSONError) -> ArrayProgress {
    try begin(UInt8(ascii: "["), "an array")
    return ArrayProgress()
  }

  /// Whether another element follows; if so the reader stands in front of it.
  ///
  /// - Throws: ``JSONError`` where the grammar is broken.
  public mutating func nextElement(in array: inout ArrayProgress) throws(JSONError) -> Bool {
    skipSpace()
    if take(UInt8(ascii: "]")) {
      depth -= 1
      return false
    }
    if array.isEmpty {
      array.isEmpty = false
    } else {
      guard take(UInt8(ascii: ",")) else { throw fault("expected ',' or ']' in an array") }
    }
    return true
  }

  /// Reads a string.
  ///
  /// - Throws: ``JSONError`` where something else comes next or the string is not well formed.
  public mutating func string() throws(JSONError) -> String {
    skipSpace()
    guard peek == UInt8(ascii: "\"") else { throw unexpected("a string") }
    let start = position
    position += 1
    let first = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let text = try validated(bytes[first..<position], start: start)
        position += 1
        return text
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(start: start, first: first) }
      if byte < 0x20 { throw fault("unescaped control character in a string") }
      position += 1
    }
    throw JSONError(offset: start, message: "the string does not end")
  }

  /// Reads a number that must be written without fraction and exponent.
  ///
  /// - Throws: ``JSONError`` where something else comes next or the number does not fit 64 bits.
  public mutating func wholeNumber() throws(JSONError) -> Int64 {
    skipSpace()
    let start = position
    guard case .integer(let value) = try number() else {
      throw JSONError(
        offset: start, message: "found \(excerpt(from: start)), expected a whole number")
    }
    return value
  }

  /// Reads any value as a tree.
  ///
  /// - Throws: ``JSONError`` where the grammar is broken.
  public mutating func value() throws(JSONError) -> JSONValue {
    skipSpace()
    guard let byte = peek else { throw fault("the text ends where a value was expected") }
    switch byte {
    case UInt8(ascii: "{"):
      var object = try beginObject()
      var members: [JSONValue.Member] = []
      while let name = try nextName(in: &object) {
        members.append(JSONValue.Member(name, try value()))
      }
      return .object(members)
    case UInt8(ascii: "["):
      var array = try beginArray()
      var elements: [JSONValue] = []
      while try nextElement(in: &array) { elements.append(try value()) }
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "I") where infinities: return try literal("Infinity", .number(.infinity))
    case UInt8(ascii: "-") where infinities && isNegativeInfinity:
      return try literal("-Infinity", .number(-.infinity))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw unexpected("a value")
    }
  }

  /// Makes sure that nothing but white space is left.
  ///
  /// - Throws: ``JSONError`` where something follows.
  public mutating func end() throws(JSONError) {
    skipSpace()
    if let byte = peek { throw fault("unexpected \(shown(byte)) after the value") }
  }
}

// Numbers, literals and the escapes of strings.
extension JSONReader {
  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    let isNegative = take(UInt8(ascii: "-"))
    guard let first = peek, isDigit(first) else {
      throw isNegative ? fault("expected a digit after '-'") : unexpected("a number")
    }
    var isWhole = true
    var magnitude: UInt64 = 0
    var overflows = false
    repeat {
      let (tens, tensOverflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = tens.addingReportingOverflow(
        UInt64(bytes[position] - UInt8(ascii: "0")))
      magnitude = sum
      overflows = overflows || tensOverflow || sumOverflow
      position += 1
    } while first != UInt8(ascii: "0") && position < bytes.count && isDigit(bytes[position])
    if take(UInt8(ascii: ".")) {
      isWhole = false
      try digits("after '.'")
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits("in the exponent")
    }
    if isWhole {
      let value =
        isNegative ? Int64(exactly: -Int128(magnitude)) : Int64(exactly: magnitude)
      guard let value, !overflows else {
        throw JSONError(offset: start, message: "\(excerpt(from: start)) does not fit 64 bits")
      }
      return .integer(value)
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw JSONError(
        offset: start, message: "\(excerpt(from: start)) is not a finite number")
    }
    return .number(value)
  }

  private var isNegativeInfinity: Bool {
    position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "I")
  }

  private mutating func digits(_ place: String) throws(JSONError) {
    guard let next = peek, isDigit(next) else { throw fault("expected a digit \(place)") }
    while let byte = peek, isDigit(byte) { position += 1 }
  }

  private mutating func literal(
    _ text: StaticString, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    let matches = text.withUTF8Buffer { wanted in
      position + wanted.count <= bytes.count
        && wanted.indices.allSatisfy { bytes[position + $0] == wanted[$0] }
    }
    guard matches else { throw fault("expected '\(text)'") }
    position += text.utf8CodeUnitCount
    return value
  }

  private mutating func escapedString(start: Int, first: Int) throws(JSONError) -> String {
    var text = Array(bytes[first..<position])
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try validated(text, start: start)
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
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
          throw fault("half of a surrogate pair")
        }
        let low = try hexadecimal()
        guard low >= 0xdc00 && low < 0xe000 else { throw fault("half of a surrogate pair") }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw fault("half of a surrogate pair") }
      text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
    default:
      position -= 1
      throw fault("unknown escape \\\(shown(byte))")
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw fault("expected four hexadecimal digits") }
    var code: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: throw fault("expected four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
    }
    position += 4
    return code
  }
}

// Bytes.
extension JSONReader {
  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func begin(_ byte: UInt8, _ expected: String) throws(JSONError) {
    skipSpace()
    guard peek == byte else { throw unexpected(expected) }
    guard depth < depthLimit else { throw fault("nested deeper than \(depthLimit)") }
    depth += 1
    position += 1
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
      position += 1
    }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private func validated(
    _ text: some Collection<UInt8>, start: Int
  ) throws(JSONError) -> String {
    guard let string = String(validating: text, as: UTF8.self) else {
      throw JSONError(offset: start, message: "the string is not valid UTF-8")
    }
    return string
  }

  private func excerpt(from start: Int) -> String {
    JSONError.excerpt(
      of: String(decoding: bytes[start..<min(position, start + 200)], as: UTF8.self), limit: 40)
  }

  private func shown(_ byte: UInt8) -> String {
    byte > 0x20 && byte < 0x7f ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
  }

  private func unexpected(_ expected: String) -> JSONError {
    guard let byte = peek else { return fault("the text ends where \(expected) was expected") }
    return fault("found \(shown(byte)), expected \(expected)")
  }

  private func fault(_ message: String) -> JSONError {
    JSONError(offset: position, message: message)
  }
}
