import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

/// Every rule of the format broken one by one, each with its own message.
@Suite struct SafetensorsRuleTests {
  @Test func anEmptyFileIsRefused() throws {
    let error = try refusal(opening: [])
    #expect(error.code == .malformed && error.message == "the file is empty")
  }

  @Test(arguments: 1..<8)
  func fewerThanEightBytesAreRefused(_ count: Int) throws {
    let error = try refusal(opening: [UInt8](repeating: 0, count: count))
    #expect(error.message.contains("found \(count) bytes, a safetensors file has at least 8"))
  }

  @Test(arguments: [100_000_001, 1 << 32, 1 << 63, UInt64.max, UInt64.max - 7])
  func aHeaderLengthBeyondTheLimitIsRefused(_ length: UInt64) throws {
    let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{}".utf8)
    let error = try refusal(opening: bytes)
    #expect(error.code == .malformed)
    #expect(error.message.contains("claims \(length) bytes, at most 100000000"))
  }

  @Test(arguments: [3, 100, 100_000_000] as [UInt64])
  func aHeaderBeyondTheFileIsRefused(_ length: UInt64) throws {
    let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{}".utf8)
    let error = try refusal(opening: bytes)
    #expect(error.message.contains("claims \(length) bytes, the file has 2 after its first 8"))
  }

  @Test func aHeaderThatDoesNotBeginWithABraceIsRefused() throws {
    #expect(try refusal(opening: safetensors("")).message == "the header is empty, expected '{'")
    for (text, byte) in [(" {}", 32), ("[]", 91), ("\u{feff}{}", 239), ("\n{}", 10), ("null", 110)]
    {
      let error = try refusal(opening: safetensors(text))
      #expect(error.message == "the header begins with byte \(byte), expected '{'")
    }
  }

  @Test func spacesBehindTheHeaderAreItsPadding() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      safetensors("{" + entry("a", "U8", "[1]", 0, 1) + "}   ", dataCount: 1), to: "a")
    #expect(try SafetensorsFile(path: path).keys == ["a"])
  }

  @Test(arguments: ["{}\n", "{}\t", "{}\u{0}", "{} \n ", "{}x", "{}{}", "{},", "{}   ]"])
  func anythingElseBehindTheHeaderIsRefused(_ text: String) throws {
    let error = try refusal(opening: safetensors(text))
    #expect(error.message.contains("found more after the object, expected only spaces"))
  }

  @Test func aHeaderThatIsNotUTF8IsRefused() throws {
    let good = Array(("{" + entry("kx", "U8", "[1]", 0, 1) + "}").utf8)
    for (first, second) in [(0xc0, 0xaf), (0xff, 0x78), (0xe2, 0x82), (0x78, 0x80)]
      as [(UInt8, UInt8)]
    {
      var header = good
      header[2] = first
      header[3] = second
      let error = try refusal(opening: safetensors(header, data: [0]))
      #expect(error.message == "the header is not valid: byte 1: the string is not valid UTF-8")
    }
  }

  @Test(arguments: [
    "{", "{\"a\"", "{\"a\":", "{a:{}}", "{\"a\":{\"dtype\":\"U8\"",
    "{\"__metadata__\":{\"a\":\"b\",}}", "{\"a\":nul}",
  ])
  func aHeaderThatIsNotJSONIsRefused(_ text: String) throws {
    let error = try refusal(opening: safetensors(text))
    #expect(error.code == .malformed && error.message.hasPrefix("the header is not valid: byte "))
  }

  @Test func aNameThatOccursTwiceIsRefused() throws {
    let a = entry("a", "U8", "[1]", 0, 1)
    let twice = [
      ("{\(a),\(a)}", "the name \"a\" occurs twice"),
      ("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"},\(a)}", "the name \"k\" occurs twice"),
      ("{\"__metadata__\":{},\(a),\"__metadata__\":{}}", "the name \"__metadata__\" occurs twice"),
      (
        "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
        "the name \"dtype\" occurs twice"
      ),
      ("{\(a),\"\\u0061\":{}}", "the name \"a\" occurs twice"),
    ]
    for (header, message) in twice {
      let error = try refusal(opening: safetensors(header, dataCount: 1))
      #expect(error.code == .malformed && error.message.hasSuffix(message), "\(error)")
    }
  }

  @Test(arguments: ["1", "null", "true", "[]", "{}"])
  func metadataThatIsNotAStringIsRefused(_ value: String) throws {
    let error = try refusal(opening: safetensors("{\"__metadata__\":{\"k\":\(value)}}"))
    #expect(error.key == "__metadata__" && error.message.contains("expected a string"))
  }

  @Test(arguments: ["1", "null", "\"x\"", "[]"])
  func metadataAndEntriesThatAreNotObjectsAreRefused(_ value: String) throws {
    for key in ["__metadata__", "a"] {
      let error = try refusal(opening: safetensors("{\"\(key)\":\(value)}"))
      #expect(error.key == key && error.message.contains("expected an object"))
    }
  }

  @Test func eachFieldOfAnEntryMustBeThereAndNoOther() throws {
    let fields = ["\"dtype\":\"U8\"", "\"shape\":[1]", "\"data_offsets\":[0,1]"]
    for (index, name) in ["dtype", "shape", "data_offsets"].enumerated() {
      var left = fields
      left.remove(at: index)
      let error = try refusal(
        opening: safetensors("{\"a\":{\(left.joined(separator: ","))}}", dataCount: 1))
      #expect(error.key == "a" && error.message == "the field \(name) is missing")
    }
    let all = fields.joined(separator: ",")
    let error = try refusal(opening: safetensors("{\"a\":{\(all),\"stride\":[1]}}", dataCount: 1))
    #expect(error.message.contains("found the field \"stride\", expected only dtype, shape"))
  }

  @Test(arguments: [
    "F8_E4M3", "F8_E5M2", "I8", "I16", "U16", "U32", "U64", "C64", "F4", "f32", "", "F32 ", "float",
  ])
  func anUnknownTypeIsRefusedByName(_ type: String) throws {
    let error = try refusal(
      opening: safetensors("{\(entry("w", type, "[1]", 0, 1))}", dataCount: 1))
    #expect(error.code == .unsupported && error.key == "w")
    #expect(error.message.contains("\"\(type)\" are not read here; known are F64, F32, F16, BF16"))
  }

  @Test(arguments: [
    ("-1", "shape holds -1, expected numbers from 0"),
    ("1.0", "found 1.0, expected a whole number"), ("1e0", "found 1e0, expected a whole number"),
    ("\"1\"", "expected a number"), ("null", "expected a number"), ("[1]", "expected a number"),
    ("9223372036854775808", "does not fit 64 bits"),
  ])
  func aShapeOfAnythingButWholeNumbersIsRefused(_ length: String, _ message: String) throws {
    let error = try refusal(
      opening: safetensors("{\(entry("w", "U8", "[1,\(length)]", 0, 1))}", dataCount: 1))
    #expect(error.key == "w" && error.message.contains(message), "\(error)")
  }

  @Test func aShapeThatIsNoArrayOrHasTooManyAxesIsRefused() throws {
    let error = try refusal(opening: safetensors("{\(entry("w", "U8", "1", 0, 1))}", dataCount: 1))
    #expect(error.message.contains("expected an array"))
    let ones = "[" + Array(repeating: "1", count: 65).joined(separator: ",") + "]"
    let many = try refusal(opening: safetensors("{\(entry("w", "U8", ones, 0, 1))}", dataCount: 1))
    #expect(many.message == "shape holds more than 64 numbers")
  }

  @Test(arguments: ElementType.allCases)
  func aShapeThatOverflowsIsRefused(_ type: ElementType) throws {
    for shape in [
      "[4294967296,4294967296]", "[9223372036854775807,2]", "[3037000500,3037000500]",
      "[9223372036854775807,9223372036854775807,0]",
    ] {
      let error = try refusal(
        opening: safetensors("{\(entry("w", type.rawValue, shape, 0, 8))}", dataCount: 8))
      #expect(error.code == .malformed && error.message.contains("than 64 bits count"))
    }
    let most = try refusal(
      opening: safetensors(
        "{\(entry("w", type.rawValue, "[9223372036854775807]", 0, 8))}", dataCount: 8))
    #expect(
      most.message.contains(type.byteCount == 1 ? "data_offsets span 8" : "than 64 bits count"))
  }

  @Test(arguments: ElementType.allCases)
  func bytesThatDoNotMatchTypeAndShapeAreRefused(_ type: ElementType) throws {
    let exact = 6 * type.byteCount
    for found in Set([0, exact - type.byteCount, exact - 1, exact + 1, exact + type.byteCount]) {
      let error = try refusal(
        opening: safetensors(
          "{\(entry("w", type.rawValue, "[2,3]", 0, found))}", dataCount: found))
      #expect(error.key == "w")
      #expect(
        error.message
          == "\(type.rawValue) of shape [2, 3] takes \(exact) bytes, data_offsets span \(found)")
    }
  }

  @Test(arguments: [
    ("[]", "holds 0 number(s)"), ("[0]", "holds 1 number(s)"), ("[0,1,2]", "more than 2 numbers"),
    ("[-1,1]", "data_offsets holds -1"), ("[0,-1]", "data_offsets holds -1"),
    ("[1,0]", "end at 0, before their begin 1"),
    ("[0,2]", "end at 2, the file has 1 bytes of data"),
    ("[0,9223372036854775807]", "the file has 1 bytes of data"),
    ("[9223372036854775807,9223372036854775807]", "the file has 1 bytes of data"),
    ("[0,1.0]", "expected a whole number"), ("{}", "expected an array"), ("0", "expected an array"),
  ])
  func offsetsThatAreNoRangeOfTheDataAreRefused(_ offsets: String, _ message: String) throws {
    let header = "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":\(offsets)}}"
    let error = try refusal(opening: safetensors(header, dataCount: 1))
    #expect(error.code == .malformed && error.key == "w" && error.message.contains(message))
  }

  @Test(arguments: ElementType.allCases)
  func holesOverlapsAndTrailingBytesAreRefused(_ type: ElementType) throws {
    let (name, size) = (type.rawValue, type.byteCount)
    func error(_ ranges: [(Int, Int)], dataCount: Int) throws -> CheckpointError {
      let entries = ranges.enumerated().map { index, range in
        entry("k\(index)", name, "[\((range.1 - range.0) / size)]", range.0, range.1)
      }
      return try refusal(
        opening: safetensors("{\(entries.joined(separator: ","))}", dataCount: dataCount))
    }
    let front = try error([(size, 2 * size)], dataCount: 2 * size)
    #expect(front.key == "k0" && front.message.contains("the data begins at 0: a hole of \(size)"))
    let hole = try error([(0, size), (2 * size, 3 * size)], dataCount: 3 * size)
    #expect(hole.key == "k1")
    #expect(hole.message.contains("tensor \"k0\" ends at \(size): a hole of \(size) bytes"))
    let overlap = try error([(size, 3 * size), (0, 2 * size)], dataCount: 3 * size)
    #expect(overlap.key == "k0")
    #expect(overlap.message.contains("tensor \"k1\" ends at \(2 * size): they overlap"))
    let same = try error([(0, size), (0, size)], dataCount: size)
    #expect(same.message.contains("they overlap"))
    let trailing = try error([(0, size)], dataCount: size + 1)
    #expect(trailing.key == nil && trailing.message.contains("1 trailing bytes"))
    #expect(try error([], dataCount: 5).message.contains("5 trailing bytes"))
  }

  @Test func emptyTensorsMayLieAnywhereBetweenOthers() throws {
    let folder = try TemporaryFolder()
    let entries = [
      entry("start", "F32", "[0]", 0, 0), entry("a", "U8", "[2]", 0, 2),
      entry("middle", "F64", "[3,0]", 2, 2), entry("b", "U8", "[1]", 2, 3),
      entry("end", "BOOL", "[0,9223372036854775807]", 3, 3),
    ].reversed().joined(separator: ",")
    let path = try folder.write(safetensors("{\(entries)}", dataCount: 3), to: "a")
    let file = try SafetensorsFile(path: path)
    #expect(file.keys == ["a", "b", "end", "middle", "start"])
    #expect(try file.tensor("start").shape == [0])
    #expect(try file.integers("end") == [])
    #expect(try file.doubles("middle") == [])
  }

  @Test func aFileWithoutTensorsIsFine() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(safetensors("{}      "), to: "a")
    #expect(try SafetensorsFile(path: path).keys == [])
  }
}
