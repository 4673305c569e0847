import CanonicalJSON
import TestSupport
import Testing

@Suite struct JSONWriterTests {
  @Test func theLineFormKeepsTheOrderAndHasNoSpaces() {
    let value: JSONValue = [
      "b": [1, 2.5, nil], "a": ["x": true], "e": .array([]), "o": .object([]),
    ]
    #expect(value.text == #"{"b":[1,2.5,null],"a":{"x":true},"e":[],"o":{}}"#)
  }

  @Test func theCanonicalFormSortsByBytesAndIndents() {
    let value: JSONValue = ["b": [1, ["z": 1, "y": []]], "B": "x", "\u{e9}": nil, "a": false]
    let expected = """
      {
        "B": "x",
        "a": false,
        "b": [
          1,
          {
            "y": [],
            "z": 1
          }
        ],
        "\u{e9}": null
      }

      """
    #expect(value.canonicalText == expected)
  }

  @Test func equalValuesGiveEqualCanonicalBytes() throws {
    let one = try JSONValue.parse(#"{"a":1.0,"b":[1e2,"\u00e9"]}"#.utf8)
    let other = try JSONValue.parse("{ \"b\" : [100, \"\u{e9}\"],\n\"a\" : 1 }".utf8)
    #expect(one.canonicalText == other.canonicalText)
  }

  @Test func controlCharactersQuotesAndBackslashesAreEscaped() {
    #expect(
      JSONValue.string("\"\\\n\r\t\u{0}\u{1f}\u{7f}/").text == #""\"\\\n\r\t\u0000\u001f\u007f/""#)
    #expect(JSONValue.string("\u{1f600}\u{2028}").text == "\"\u{1f600}\u{2028}\"")
  }

  @Test(
    arguments: [
      0, 1, -1, 0.1, 1.0 / 3, 1e15, 1e16, 1e22, 123_456_789_012_345_680,
      .greatestFiniteMagnitude, -2.5e-10, 4_294_967_296, 9_007_199_254_740_994,
      .leastNonzeroMagnitude,
    ] as [Double])
  func numbersReadBackEqual(_ value: Double) throws {
    #expect(try JSONValue.parse(JSONValue.number(value).text.utf8).number == value)
  }

  @Test func seededRandomTreesReadBackEqual() throws {
    var random = SeededGenerator(seed: 20_240_607)
    for _ in 0..<300 {
      let value = randomValue(depth: 4, &random)
      #expect(try JSONValue.parse(value.text.utf8) == value)
      let canonical = value.canonicalText
      let again = try JSONValue.parse(canonical.utf8)
      #expect(again.canonicalText == canonical)
    }
  }

  @Test func seededByteFlipsNeverTrap() {
    var random = SeededGenerator(seed: 7)
    let text = Array(#"{"a":[1,-2.5e3,true,false,null],"b":{"c":"d\ud83d\ude00\n"},"é":"ü"}"#.utf8)
    var refused = 0
    for _ in 0..<20_000 {
      var bytes = text
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      do {
        let value = try JSONValue.parse(bytes)
        #expect(try JSONValue.parse(value.text.utf8).text == value.text)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 10_000)
  }
}

private func randomValue(depth: Int, _ random: inout SeededGenerator) -> JSONValue {
  switch Int.random(in: 0..<(depth == 0 ? 5 : 7), using: &random) {
  case 0: return nil
  case 1: return .bool(.random(using: &random))
  case 2: return .integer(Int64(truncatingIfNeeded: random.next()))
  case 3: return .number(Double.random(in: -1e6...1e6, using: &random) + 0.5e-3)
  case 4: return .string(randomText(&random))
  case 5:
    return .array(
      (0..<Int.random(in: 0..<5, using: &random)).map { _ in randomValue(depth: depth - 1, &random)
      })
  default:
    return .object(
      (0..<Int.random(in: 0..<20, using: &random)).map {
        .init("\($0)" + randomText(&random), randomValue(depth: depth - 1, &random))
      })
  }
}

private func randomText(_ random: inout SeededGenerator) -> String {
  var text = ""
  for _ in 0..<Int.random(in: 0..<8, using: &random) {
    let code = UInt32.random(
      in: 0..<(Bool.random(using: &random) ? 0x80 : 0x11_0000), using: &random)
    if let scalar = Unicode.Scalar(code) { text.unicodeScalars.append(scalar) }
  }
  return text
}
