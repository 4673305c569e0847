import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

/// A folder that is removed with its contents when the test lets go of it.
final class TemporaryFolder {
  let path: String

  init() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("checkpoints-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path
  }

  deinit {
    chmod(path, 0o700)
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      Issue.record("\(path) cannot be removed: \(error)")
    }
  }

  subscript(name: String) -> String { "\(path)/\(name)" }

  /// Writes a file, making the folders on the way.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let url = URL(fileURLWithPath: self[name])
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return self[name]
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

func fixturePath(_ name: String) -> String {
  Fixture.folder.appendingPathComponent("checkpoints/\(name)").path
}

func fileBytes(_ path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// A safetensors file of a header text and data.
func safetensors(_ header: [UInt8], data: [UInt8] = []) -> [UInt8] {
  withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + data
}

func safetensors(_ header: String, dataCount: Int = 0) -> [UInt8] {
  safetensors(Array(header.utf8), data: [UInt8](repeating: 0, count: dataCount))
}

/// One entry of a header.
func entry(_ key: String, _ type: String, _ shape: String, _ begin: Int, _ end: Int) -> String {
  "\"\(key)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
}

/// The error that `body` throws.
func refusal<R>(
  _ body: () throws -> R, sourceLocation: SourceLocation = #_sourceLocation
) throws -> CheckpointError {
  do {
    _ = try body()
  } catch let error as CheckpointError {
    #expect(!error.description.contains("\n"), sourceLocation: sourceLocation)
    return error
  }
  Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  return CheckpointError(.unreadable, file: "", "nothing was thrown")
}

/// The error that opening these bytes as a file gives.
func refusal(
  opening bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
) throws -> CheckpointError {
  let folder = try TemporaryFolder()
  let path = try folder.write(bytes, to: "x.safetensors")
  let error = try refusal(
    { try SafetensorsFile(path: path) }, sourceLocation: sourceLocation)
  #expect(error.file == path, sourceLocation: sourceLocation)
  return error
}

/// Reads every tensor in the way its type allows.
func readEverything(_ file: SafetensorsFile) throws {
  for key in file.keys {
    switch file.record(key)?.type {
    case .float32, .float16, .bfloat16:
      _ = try file.doubles(key)
      _ = try file.tensor(key)
    case .float64: _ = try file.doubles(key)
    default: _ = try file.integers(key)
    }
  }
}

/// Runs `body` without the super-user's right to pass over permissions, on this thread only.
func withoutPrivileges<R>(_ body: () throws -> R) throws -> R {
  guard geteuid() == 0 else { return try body() }
  #if os(Linux)
    typealias SetUser = @convention(c) (UInt32) -> Int32
    let symbol = try #require(dlsym(dlopen(nil, RTLD_NOW), "setfsuid"))
    let setUser = unsafeBitCast(symbol, to: SetUser.self)
    _ = setUser(65534)
    defer { _ = setUser(0) }
  #endif
  return try body()
}
