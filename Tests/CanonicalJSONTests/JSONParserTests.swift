import CanonicalJSON
import Testing

private func parsed(_ text: String, depthLimit: Int = 64) throws -> JSONValue {
  try JSONValue.parse(text.utf8, depthLimit: depthLimit)
}

/// The message of the error that a text must give.
private func refusal(_ bytes: [UInt8], depthLimit: Int = 64) -> JSONError? {
  do {
    _ = try JSONValue.parse(bytes, depthLimit: depthLimit)
    return nil
  } catch {
    return error
  }
}

@Suite struct JSONParserTests {
  @Test func everyKindOfValueIsRead() throws {
    let value = try parsed(
      " { \"a\" : [ 1 , -2.5e1 , true , false , null , \"x\" ] , \"b\" : { } , \"c\":[]}\t\r\n")
    #expect(
      value == [
        "a": [1, .number(-25), true, false, nil, "x"], "b": .object([]), "c": .array([]),
      ])
    #expect(value["a"]?.elements?.count == 6)
    #expect(value["missing"] == nil)
  }

  @Test func membersKeepTheirOrder() throws {
    let value = try parsed(#"{"z":1,"a":2,"m":3}"#)
    #expect(value.members?.map(\.name) == ["z", "a", "m"])
  }

  @Test(arguments: [
    "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{\"a\"}",
    "{\"a\":}", "{\"a\":1,}", "{,\"a\":1}", "{\"a\":1 \"b\":2}", "{\"a\":1,,\"b\":2}", "{a:1}",
    "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1}}", "[1]]", "1 2", "nul", "nulll", "True", "tru",
    "falsy", "NaN", "Infinity", "-Infinity", "+1", "01", "-", "-a", "-01", "1.", ".5", "1.e5", "1e",
    "1e+", "0x10", "1_000", "\"", "\"a", "'a'", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
    "\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\ud800\"", "\"\\udc00\"",
    "\"a\nb\"",
    "\"a\tb\"", "\"\u{0}\"", "// x\n1", "/* x */ 1", "[1]//", "\u{feff}1", "\u{a0}1", "1\u{0}",
    "{\"a\":1;\"b\":2}", "undefined", "[\"a\",\n4,\n1,", "\u{c}1",
  ])
  func brokenTextIsRefused(_ text: String) throws {
    let error = try #require(refusal(Array(text.utf8)), "\(text) was read")
    #expect(error.offset >= 0 && error.offset <= text.utf8.count)
    #expect(error.message.isEmpty == false)
  }

  @Test func infinitiesAreNumbersOnlyWhereAskedFor() throws {
    let text = #"{"a": -Infinity, "b": [Infinity, -1], "c": "Infinity"}"#
    #expect(refusal(Array(text.utf8)) != nil)
    let value = try JSONValue.parse(text.utf8, infinities: true)
    #expect(value["a"]?.number == -.infinity && value["a"]?.integer == nil)
    #expect(value["b"] == [.number(.infinity), -1])
    for broken in ["NaN", "+Infinity", "-Infinit", "Inf", "-I", "Infinityx", "- Infinity", "I"] {
      #expect(throws: JSONError.self) { try JSONValue.parse(broken.utf8, infinities: true) }
    }
  }

  @Test(
    arguments: [
      [0x22, 0x80, 0x22], [0x22, 0xc0, 0xaf, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22], [0x22, 0xff, 0x22],
      [0x22, 0x5c, 0x6e, 0xff, 0x22], [0xff, 0xfe, 0x31, 0x00], [0xe9],
    ] as [[UInt8]])
  func invalidUTF8IsRefused(_ bytes: [UInt8]) {
    #expect(refusal(bytes) != nil)
  }

  @Test func aNameThatOccursTwiceIsRefusedWithItsPlace() {
    let error = refusal(Array(#"{"a":1,"b":2,"a":3}"#.utf8))
    #expect(error == JSONError(offset: 13, message: "the name \"a\" occurs twice"))
    #expect(refusal(Array(#"{"a":1,"\u0061":3}"#.utf8))?.message.contains("twice") == true)
    #expect(refusal(Array(#"{"o":{"x":1,"x":1}}"#.utf8))?.message.contains("twice") == true)
    #expect(refusal(Array(#"{"":1,"":1}"#.utf8))?.message.contains("twice") == true)
    // Dictionaries of strings could not tell these two apart.
    #expect(refusal(Array("{\"\u{e9}\":1,\"e\u{301}\":1}".utf8))?.message.contains("twice") == true)
  }

  @Test func aRepeatedNameIsFoundInALargeObject() {
    let names = (0..<1000).map { "\"n\($0)\":0" }
    #expect(refusal(Array(("{" + names.joined(separator: ",") + "}").utf8)) == nil)
    for repeated in [0, 5, 12, 13, 998] {
      let text = "{" + names.joined(separator: ",") + ",\"n\(repeated)\":0}"
      #expect(
        refusal(Array(text.utf8))?.message == "the name \"n\(repeated)\" occurs twice")
    }
  }

  @Test func theSameNameInTwoObjectsIsFine() throws {
    _ = try parsed(#"[{"a":1},{"a":{"a":[{"a":2}]}}]"#)
  }

  @Test func nestingStopsAtTheLimit() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parsed(nested(64))
    #expect(refusal(Array(nested(65).utf8))?.message == "nested deeper than 64")
    _ = try parsed(nested(3), depthLimit: 3)
    #expect(refusal(Array(nested(4).utf8), depthLimit: 3)?.offset == 3)
    #expect(refusal(Array("1".utf8), depthLimit: 0) == nil)
    let objects = String(repeating: "{\"a\":", count: 100_000)
    #expect(refusal(Array(objects.utf8))?.message == "nested deeper than 64")
    // Siblings do not add up.
    _ = try parsed("[" + Array(repeating: "[{}]", count: 500).joined(separator: ",") + "]")
  }

  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("7", 7), ("-12", -12), ("9223372036854775807", Int64.max),
      ("-9223372036854775808", Int64.min),
    ] as [(String, Int64)])
  func wholeNumbersAreExact(_ text: String, _ expected: Int64) throws {
    #expect(try parsed(text) == .integer(expected))
  }

  @Test(arguments: [
    "9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
    "99999999999999999999999999", "-99999999999999999999999999",
  ])
  func wholeNumbersBeyond64BitsAreRefused(_ text: String) {
    #expect(refusal(Array(text.utf8))?.message == "\(text) does not fit 64 bits")
  }

  @Test(
    arguments: [
      ("0.5", 0.5), ("1e3", 1000), ("1E3", 1000), ("-1.25e-2", -0.0125), ("1e+2", 100),
      ("0.1", 0.1), ("2.2250738585072014e-308", 2.2250738585072014e-308),
      ("5e-324", .leastNonzeroMagnitude),
      ("1.7976931348623157e308", 1.7976931348623157e308), ("0e5", 0), ("1e-999", 0),
      ("0.1000000000000000055511151231257827021181583404541015625", 0.1),
    ] as [(String, Double)])
  func fractionsAreReadToTheNearestDouble(_ text: String, _ expected: Double) throws {
    #expect(try parsed(text) == .number(expected))
  }

  @Test func numbersBeyondDoubleAreRefused() {
    #expect(refusal(Array("1e309".utf8))?.message == "1e309 is not a finite number")
    #expect(refusal(Array("-1e999".utf8)) != nil)
    #expect(refusal(Array(("1" + String(repeating: "0", count: 400) + ".0").utf8)) != nil)
  }

  @Test func escapesAndSurrogatePairsBecomeTheirCharacters() throws {
    #expect(
      try parsed(#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\u0000x""#)
        == .string("\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{20ac}\u{1f600}\u{0}x"))
    #expect(try parsed(#""\uDBFF\uDFFF""#) == .string("\u{10ffff}"))
    #expect(try parsed("\"\u{1f600}\u{7f}\"") == .string("\u{1f600}\u{7f}"))
    #expect(try parsed("\"\"") == .string(""))
  }

  @Test func anyCollectionOfBytesCanBeRead() throws {
    let lazyBytes = "[1, 2]".utf8.lazy.map { $0 }
    #expect(try JSONValue.parse(lazyBytes) == [1, 2])
    #expect(try JSONValue.parse(Array("x[1]x".utf8)[1..<4]) == [1])
  }

  @Test func everyTruncationOfADocumentIsRefused() {
    let text = Array(#"{"a":[1,2.5,true],"b":{"c":"d\u00e9\n"},"e":null}"#.utf8)
    #expect(refusal(text) == nil)
    for count in 0..<text.count {
      #expect(refusal(Array(text[0..<count])) != nil, "\(count) bytes were read")
    }
  }

  @Test func foreignTextInMessagesStaysOnOneLineAndShort() {
    let name = String(repeating: "long\n", count: 1000)
    let text = JSONValue.object([.init(name, 1)]).text.dropLast() + "," + "\"x\"}"
    let error = refusal(Array(text.utf8))
    #expect(error?.description.contains("\n") == false)
    #expect((error?.description.count ?? 0) < 200)
    #expect(JSONError.excerpt(of: "a\u{7}b\u{2028}c") == "a\\u{7}b\\u{2028}c")
    #expect(JSONError.excerpt(of: "abcdef", limit: 3) == "abc…")
  }
}

@Suite struct JSONReaderTests {
  @Test func aTextIsReadPieceByPiece() throws {
    let text = Array(#" {"shape" : [2, 3], "name":"x" ,"rest":{"a":[null]} } "#.utf8)
    try text.withUnsafeBufferPointer { bytes in
      var reader = JSONReader(bytes)
      var object = try reader.beginObject()
      #expect(try reader.nextName(in: &object) == "shape")
      var array = try reader.beginArray()
      var lengths: [Int64] = []
      while try reader.nextElement(in: &array) { lengths.append(try reader.wholeNumber()) }
      #expect(lengths == [2, 3])
      #expect(try reader.nextName(in: &object) == "name")
      #expect(try reader.string() == "x")
      #expect(try reader.nextName(in: &object) == "rest")
      #expect(try reader.value() == ["a": [nil]])
      #expect(try reader.nextName(in: &object) == nil)
      try reader.end()
      #expect(reader.offset == bytes.count)
    }
  }

  @Test func theWrongKindIsRefusedWithWhatWasFound() {
    func message(_ text: String, _ read: (inout JSONReader) throws -> Void) -> String? {
      Array(text.utf8).withUnsafeBufferPointer { bytes in
        var reader = JSONReader(bytes)
        do {
          try read(&reader)
          return nil
        } catch {
          return "\(error)"
        }
      }
    }
    #expect(message("[1]") { _ = try $0.beginObject() } == "byte 0: found '[', expected an object")
    #expect(message("{}") { _ = try $0.beginArray() } == "byte 0: found '{', expected an array")
    #expect(message(" 1") { _ = try $0.string() } == "byte 1: found '1', expected a string")
    #expect(
      message("1.5") { _ = try $0.wholeNumber() }
        == "byte 0: found 1.5, expected a whole number")
    #expect(
      message("\"1\"") { _ = try $0.wholeNumber() } == "byte 0: found '\"', expected a number")
    #expect(
      message("") { _ = try $0.wholeNumber() }
        == "byte 0: the text ends where a number was expected")
    #expect(
      message("1 x") { reader in
        _ = try reader.wholeNumber()
        try reader.end()
      } == "byte 2: unexpected 'x' after the value")
  }
}
