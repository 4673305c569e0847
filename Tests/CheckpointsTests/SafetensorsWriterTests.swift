import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct SafetensorsWriterTests {
  private func sample() -> SafetensorsWriter {
    var writer = SafetensorsWriter(metadata: ["format": "pt", "author": "a\"b\n"])
    writer.add("b.weight", Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]))
    writer.add("a.half", Tensor([0.5, -2, 65504], shape: [3]), as: .float16)
    writer.add("c.brain", Tensor([1e30, -1, 0], shape: [3, 1]), as: .bfloat16)
    writer.add("ids", integers: [0, -1, .max], shape: [1, 3])
    writer.add("scalar", Tensor([7], shape: []))
    writer.add("empty", Tensor([], shape: [0, 4]))
    return writer
  }

  @Test func whatIsWrittenIsReadBackEqual() throws {
    let folder = try TemporaryFolder()
    try sample().write(to: folder["m.safetensors"])
    let file = try SafetensorsFile(path: folder["m.safetensors"])
    #expect(file.metadata == ["format": "pt", "author": "a\"b\n"])
    #expect(file.keys == ["a.half", "b.weight", "c.brain", "empty", "ids", "scalar"])
    #expect(try file.tensor("b.weight").values == [1, 2, 3, 4, 5, 6])
    #expect(try file.tensor("a.half").values == [0.5, -2, 65504])
    #expect(file.record("a.half")?.type == .float16)
    let brain = try file.tensor("c.brain").values
    #expect(abs(brain[0] / 1e30 - 1) < 0.004 && brain[1...] == [-1, 0])
    #expect(try file.integers("ids") == [0, -1, .max])
    #expect(try file.tensor("scalar").shape == [])
    #expect(try file.tensor("empty").shape == [0, 4])
    #expect(try folder.names() == ["m.safetensors"])
  }

  @Test func tensorsAreOrderedByAlignmentThenNameAndAligned() throws {
    let folder = try TemporaryFolder()
    try sample().write(to: folder["m"])
    let file = try SafetensorsFile(path: folder["m"])
    let ordered = file.keys.sorted {
      (file.byteRange($0)?.lowerBound ?? 0, file.byteRange($0)?.upperBound ?? 0)
        < (file.byteRange($1)?.lowerBound ?? 0, file.byteRange($1)?.upperBound ?? 0)
    }
    #expect(ordered == ["ids", "b.weight", "empty", "scalar", "a.half", "c.brain"])
    for key in file.keys {
      let size = try #require(file.record(key)?.type.byteCount)
      #expect((file.byteRange(key)?.lowerBound ?? 1) % size == 0)
    }
    let bytes = try fileBytes(folder["m"])
    #expect(bytes[0] % 8 == 0)
  }

  @Test func theOrderOfAddingDoesNotChangeTheBytes() throws {
    let folder = try TemporaryFolder()
    let values = (0..<40).map { "key.\($0)" }
    var random = SeededGenerator(seed: 11)
    var first: [UInt8]?
    for _ in 0..<5 {
      var writer = SafetensorsWriter()
      for key in values.shuffled(using: &random) {
        writer.add(key, Tensor([Float(key.utf8.count)], shape: [1]))
        writer.metadata["m.\(key)"] = key
      }
      try writer.write(to: folder["m"])
      let bytes = try fileBytes(folder["m"])
      #expect(first == nil || first == bytes)
      first = bytes
    }
  }

  @Test(arguments: ["f16", "bf16"])
  func theBytesAreThoseOfTheReferenceLibrary(_ name: String) throws {
    let path = fixturePath("writer-\(name).safetensors")
    let file = try SafetensorsFile(path: path)
    var writer = SafetensorsWriter(metadata: file.metadata)
    for key in file.keys {
      let record = try #require(file.record(key))
      if record.type == .int64 {
        writer.add(key, integers: try file.integers(key), shape: record.shape)
      } else {
        writer.add(key, try file.tensor(key), as: record.type)
      }
    }
    let folder = try TemporaryFolder()
    try writer.write(to: folder["m"])
    #expect(try fileBytes(folder["m"]) == fileBytes(path))
  }

  @Test func largeTensorsAreNarrowedPieceByPiece() throws {
    let folder = try TemporaryFolder()
    let values = (0..<600_001).map { Float($0 % 2048) }
    var writer = SafetensorsWriter()
    writer.add("w", Tensor(values, shape: [600_001]), as: .float16)
    try writer.write(to: folder["m"])
    #expect(try SafetensorsFile(path: folder["m"]).tensor("w").values == values)
  }

  @Test func whatCannotBeReadBackIsNotWritten() throws {
    let folder = try TemporaryFolder()
    try folder.write("before", to: "m")
    for (value, type) in [
      (Float.nan, ElementType.float32), (.infinity, .float32), (65520, .float16),
      (.greatestFiniteMagnitude, .bfloat16), (-.infinity, .float16),
    ] {
      var values = [Float](repeating: 0, count: 300_000)
      values[299_999] = value
      var writer = SafetensorsWriter()
      writer.add("w", Tensor(values, shape: [300_000]), as: type)
      let error = try refusal { try writer.write(to: folder["m"]) }
      #expect(error.code == .notFinite && error.key == "w")
      #expect(error.message.contains("element 299999"), "\(error)")
      #expect(try fileBytes(folder["m"]) == Array("before".utf8))
      #expect(try folder.names() == ["m"])
    }
  }

  @Test func anExistingFileIsReplacedWhileItsReadersKeepTheOldOne() throws {
    let folder = try TemporaryFolder()
    try sample().write(to: folder["m"])
    let old = try SafetensorsFile(path: folder["m"])
    var writer = SafetensorsWriter()
    writer.add("new", Tensor([1], shape: [1]))
    try writer.write(to: folder["m"])
    #expect(try old.tensor("scalar").values == [7])
    #expect(try SafetensorsFile(path: folder["m"]).keys == ["new"])
    #expect(try folder.names() == ["m"])
  }

  @Test func aLinkUnderTheFinalNameIsReplacedAndNotFollowed() throws {
    let folder = try TemporaryFolder()
    try folder.write("precious", to: "target")
    #expect(symlink(folder["target"], folder["m"]) == 0)
    #expect(symlink(folder["nowhere"], folder["dangling"]) == 0)
    try sample().write(to: folder["m"])
    try sample().write(to: folder["dangling"])
    #expect(try fileBytes(folder["target"]) == Array("precious".utf8))
    var status = stat()
    #expect(lstat(folder["m"], &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
    #expect(try folder.names() == ["dangling", "m", "target"])
  }

  @Test func aMissingFolderIsRefused() throws {
    let folder = try TemporaryFolder()
    let error = try refusal { try sample().write(to: folder["none/m"]) }
    #expect(error.code == .unwritable && error.errorNumber == ENOENT)
    #expect(error.message == "cannot be created: No such file or directory")
    #expect(try folder.names() == [])
  }

  @Test func aFolderWithoutPermissionIsRefusedAndKeepsWhatItHas() throws {
    let folder = try TemporaryFolder()
    try folder.write("before", to: "m")
    chmod(folder.path, 0o555)
    let error = try withoutPrivileges { try refusal { try sample().write(to: folder["m"]) } }
    #expect(error.code == .unwritable && error.errorNumber == EACCES)
    #expect(error.message == "cannot be created: Permission denied")
    #expect(try fileBytes(folder["m"]) == Array("before".utf8))
    #expect(try folder.names() == ["m"])
  }

  @Test func aFolderUnderTheFinalNameIsRefusedAndNothingIsLeft() throws {
    let folder = try TemporaryFolder()
    try folder.write("x", to: "m/inside")
    let error = try refusal { try sample().write(to: folder["m"]) }
    #expect(error.code == .unwritable && error.errorNumber == EISDIR)
    #expect(try folder.names() == ["m"])
    #expect(try refusal { try sample().write(to: folder.path + "/") }.code == .unwritable)
    #expect(try refusal { try sample().write(to: folder["m"] + "/..") }.code == .unwritable)
  }
}
