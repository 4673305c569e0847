import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct SafetensorsReadingTests {
  private func everyType() throws -> SafetensorsFile {
    try SafetensorsFile(path: fixturePath("every-type.safetensors"))
  }

  private func ramp(_ count: Int) -> [Double] { (0..<count).map { Double($0 - 7) * 0.25 } }

  @Test func theReferenceLibrarysFileHasItsKeysTypesAndShapes() throws {
    let file = try everyType()
    let expected: [String: TensorRecord] = [
      "f64": .init(type: .float64, shape: [3, 4]), "f32": .init(type: .float32, shape: [2, 3, 5]),
      "f16": .init(type: .float16, shape: [5, 7]), "bf16": .init(type: .bfloat16, shape: [33]),
      "i64": .init(type: .int64, shape: [5]), "i32": .init(type: .int32, shape: [3, 2]),
      "u8": .init(type: .uint8, shape: [4]), "bool": .init(type: .bool, shape: [3]),
      "scalar": .init(type: .float32, shape: []), "empty": .init(type: .float32, shape: [0, 3]),
      "nested.key.weight": .init(type: .float32, shape: [1, 1, 1, 1]),
      "\u{e9}t\u{e9} \"quoted\"": .init(type: .float32, shape: [1]),
    ]
    #expect(file.keys == expected.keys.sorted())
    for (key, record) in expected { #expect(file.record(key) == record) }
    #expect(file.record("absent") == nil)
    #expect(file.metadata == ["format": "pt"])
    #expect(file.byteCount == 1235)
    #expect(file.parameterCount == 30 + 35 + 33 + 1 + 0 + 1 + 1)
    #expect(file.typeCounts[.float32] == 5)
    #expect(file.byteRange("bool") == 1232..<1235)
  }

  @Test func theReferenceLibrarysValuesAreReadEqual() throws {
    let file = try everyType()
    #expect(try file.tensor("f32").values.map(Double.init) == ramp(30))
    #expect(try file.tensor("f16").values.map(Double.init) == ramp(35))
    #expect(try file.tensor("bf16").values.map(Double.init) == ramp(33))
    #expect(try file.tensor("f32").shape == [2, 3, 5])
    #expect(try file.tensor("scalar").values == [2.5])
    #expect(try file.tensor("empty").shape == [0, 3])
    #expect(try file.tensor("\u{e9}t\u{e9} \"quoted\"").values == [0.5])
    #expect(try file.doubles("f64") == ramp(12))
    #expect(try file.doubles("f32") == ramp(30))
    #expect(try file.doubles("f16") == ramp(35))
    #expect(try file.doubles("bf16") == ramp(33))
    #expect(try file.integers("i64") == [0, 1, -1, 1 << 62, .min])
    #expect(try file.integers("i32") == [0, 1, -1, 2_147_483_647, -2_147_483_648, 7])
    #expect(try file.integers("u8") == [0, 1, 127, 255])
    #expect(try file.integers("bool") == [1, 0, 1])
  }

  @Test(arguments: ["f16", "bf16"])
  func sixteenBitPatternsWidenAsTheReferenceWidens(_ type: String) throws {
    let file = try SafetensorsFile(path: fixturePath("sixteen-bit.safetensors"))
    let found = try file.tensor(type).values
    let expected = try file.tensor("\(type).as_f32").values
    #expect(found.count == expected.count && found.count > 3900)
    let largest = zip(found, expected).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
    print("\(type): \(found.count) patterns, largest difference \(largest)")
    #expect(zip(found, expected).allSatisfy { $0.bitPattern == $1.bitPattern })
  }

  @Test(arguments: ["f64", "i64", "i32", "u8", "bool"])
  func typesThatAreNotComputedWithAreRefusedAsTensors(_ key: String) throws {
    let error = try refusal { try everyType().tensor(key) }
    #expect(error.code == .unsupported && error.key == key)
    #expect(error.message.contains("stored as \(key.uppercased()), which is not computed with"))
  }

  @Test func typedReadsRefuseOtherTypesAndAbsentKeys() throws {
    let file = try everyType()
    for key in ["f64", "f32", "f16", "bf16"] {
      #expect(try refusal { try file.integers(key) }.code == .unsupported)
    }
    for key in ["i64", "i32", "u8", "bool"] {
      #expect(try refusal { try file.doubles(key) }.code == .unsupported)
    }
    #expect(try refusal { try file.tensor("absent") }.code == .missingTensor)
    #expect(try refusal { try file.integers("absent") }.key == "absent")
    #expect(try refusal { try file.doubles("absent") }.code == .missingTensor)
  }

  @Test func aTruthValueOtherThanZeroAndOneIsRefused() throws {
    let folder = try TemporaryFolder()
    let header = Array("{\(entry("b", "BOOL", "[3]", 0, 3))}".utf8)
    let file = try SafetensorsFile(
      path: try folder.write(safetensors(header, data: [0, 1, 2]), to: "b"))
    let error = try refusal { try file.integers("b") }
    #expect(error.message == "element 2 of a BOOL tensor is 2, expected 0 or 1")
  }

  @Test(
    arguments: [
      ("F32", [0x00, 0x00, 0x80, 0x7f], "inf"), ("F32", [0x00, 0x00, 0x80, 0xff], "-inf"),
      ("F32", [0x01, 0x00, 0x80, 0x7f], "NaN"), ("F16", [0x00, 0x7c], "inf"),
      ("F16", [0x00, 0xfc], "-inf"), ("F16", [0x01, 0x7c], "NaN"), ("BF16", [0x80, 0x7f], "inf"),
      ("BF16", [0x80, 0xff], "-inf"), ("BF16", [0xc0, 0x7f], "NaN"),
    ] as [(String, [UInt8], String)])
  func weightsThatAreNotFiniteAreRefusedWithTheirPlace(
    _ type: String, _ pattern: [UInt8], _ shown: String
  ) throws {
    let folder = try TemporaryFolder()
    for place in [0, 5, 99] {
      var data = [UInt8](repeating: 0, count: 100 * pattern.count)
      for (offset, byte) in pattern.enumerated() { data[place * pattern.count + offset] = byte }
      if place == 5 { data.replaceSubrange(data.count - pattern.count..<data.count, with: pattern) }
      let header = Array("{\(entry("w", type, "[10,10]", 0, data.count))}".utf8)
      let file = try SafetensorsFile(
        path: try folder.write(safetensors(header, data: data), to: "w"))
      let error = try refusal { try file.tensor("w") }
      #expect(error.code == .notFinite && error.key == "w")
      #expect(error.message.hasPrefix("element \(place) of 100 is \(shown)"), "\(error)")
      #expect(try file.doubles("w").count == 100)
    }
  }

  @Test(arguments: 0..<8)
  func tensorsAtAnyAlignmentAreRead(_ shift: Int) throws {
    let folder = try TemporaryFolder()
    var data = [UInt8](repeating: 1, count: shift)
    var entries = [entry("pad", "U8", "[\(shift)]", 0, shift)]
    func add<Value: BitwiseCopyable>(_ key: String, _ type: String, _ values: [Value]) {
      let bytes = values.withUnsafeBytes { Array($0) }
      entries.append(entry(key, type, "[\(values.count)]", data.count, data.count + bytes.count))
      data += bytes
    }
    add("f32", "F32", [1.5, -2, 3] as [Float])
    add("one", "U8", [9] as [UInt8])
    add("f16", "F16", [0x3c00, 0xc000] as [UInt16])
    add("bf16", "BF16", [0x3f80, 0xc000] as [UInt16])
    add("f64", "F64", [0.1, -7] as [Double])
    add("i64", "I64", [-5, 1 << 40] as [Int64])
    add("i32", "I32", [-5, 1 << 20] as [Int32])
    let header = Array("{\(entries.joined(separator: ","))}".utf8)
    let file = try SafetensorsFile(path: try folder.write(safetensors(header, data: data), to: "w"))
    #expect(try file.tensor("f32").values == [1.5, -2, 3])
    #expect(try file.tensor("f16").values == [1, -2])
    #expect(try file.tensor("bf16").values == [1, -2])
    #expect(try file.doubles("f64") == [0.1, -7])
    #expect(try file.doubles("f32") == [1.5, -2, 3])
    #expect(try file.integers("i64") == [-5, 1 << 40])
    #expect(try file.integers("i32") == [-5, 1 << 20])
    #expect(try file.integers("pad") == [Int64](repeating: 1, count: shift))
  }

  @Test(arguments: [ElementType.float32, .bfloat16])
  func aTensorLargerThanAPieceIsReadWhole(_ type: ElementType) throws {
    let folder = try TemporaryFolder()
    let count = (1 << 22) + 5
    let tensor = Tensor(shape: [count]) { out in
      for index in out.indices { out[index] = Float(index % 251) }
    }
    var writer = SafetensorsWriter()
    writer.add("w", tensor, as: type)
    try writer.write(to: folder["w"])
    let file = try SafetensorsFile(path: folder["w"])
    #expect(try file.tensor("w").values == tensor.values)
  }

  @Test func aTensorCanBeReadAgainAfterItsPagesWereLetGo() throws {
    let folder = try TemporaryFolder()
    let values = (0..<100_000).map { Float($0) }
    var writer = SafetensorsWriter()
    writer.add("w", Tensor(values, shape: [1000, 100]))
    try writer.write(to: folder["w"])
    let file = try SafetensorsFile(path: folder["w"])
    for _ in 0..<3 { #expect(try file.tensor("w").values == values) }
  }
}

@Suite struct MappedFileTests {
  @Test func theBytesOfAFileAreSeen() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let file = try MappedFile(path: try folder.write(bytes, to: "f"))
    #expect(file.byteCount == bytes.count)
    #expect(try file.withBytes(3..<19_999) { Array($0) } == Array(bytes[3..<19_999]))
    file.discard(0..<20_000)
    file.discard(5..<6)
    file.discard(4096..<4096)
    #expect(try file.withBytes(0..<20_000) { Array($0) } == bytes)
  }

  @Test func whatIsNotARegularFileIsRefused() throws {
    let folder = try TemporaryFolder()
    let missing = try refusal { try MappedFile(path: folder["none"]) }
    #expect(missing.code == .missingFile && missing.errorNumber == ENOENT)
    try folder.write("x", to: "file")
    #expect(try refusal { try MappedFile(path: folder["file/below"]) }.code == .missingFile)
    #expect(try refusal { try MappedFile(path: "") }.code == .missingFile)
    let directory = try refusal { try MappedFile(path: folder.path) }
    #expect(directory.code == .unreadable && directory.message == "is a folder, expected a file")
    let empty = try refusal { try MappedFile(path: try folder.write("", to: "empty")) }
    #expect(empty.code == .malformed && empty.message == "the file is empty")
    #expect(mkfifo(folder["pipe"], 0o600) == 0)
    #expect(
      try refusal { try MappedFile(path: folder["pipe"]) }.message == "is not a regular file")
    #expect(try refusal { try MappedFile(path: "/dev/null") }.message == "is not a regular file")
  }

  @Test func aFileWithoutPermissionIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("secret", to: "f")
    chmod(path, 0)
    chmod(folder.path, 0o755)
    let error = try withoutPrivileges { try refusal { try MappedFile(path: path) } }
    #expect(error.code == .unreadable && error.errorNumber == EACCES)
    #expect(error.message == "cannot be opened: Permission denied")
  }

  @Test func linksAreFollowedWhenReading() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("abc", to: "f")
    #expect(symlink(path, folder["link"]) == 0)
    #expect(try MappedFile(path: folder["link"]).byteCount == 3)
    #expect(symlink(folder["loop"], folder["loop"]) == 0)
    #expect(try refusal { try MappedFile(path: folder["loop"]) }.errorNumber == ELOOP)
  }
}
