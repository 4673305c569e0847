import Checkpoints
import Foundation
import TensorCore
import TestSupport
import Testing

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
