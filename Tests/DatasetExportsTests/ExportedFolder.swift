import CanonicalJSON
import DatasetExports
import DatasetFormat
import Foundation
import TestSupport

/// A new folder that goes away with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    let memory = URL(fileURLWithPath: "/dev/shm", isDirectory: true)
    let base =
      FileManager.default.isWritableFile(atPath: memory.path)
      ? memory : FileManager.default.temporaryDirectory
    let url = base.appending(path: "triptych-export-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    path = url.path
  }

  deinit { _ = Result { try FileManager.default.removeItem(atPath: path) } }

  subscript(_ name: String) -> String { "\(path)/\(name)" }

  /// Exports a run in this folder.
  @discardableResult
  func export(
    _ run: String, to name: String, _ options: ExportOptions,
    fileSystem: (any FileSystem)? = nil
  ) throws -> DatasetExport.Summary {
    try DatasetExport(RunContents.open(path: self[run]), options: options)
      .write(to: self[name], fileSystem: fileSystem) { _ in }
  }

  /// The bytes of every file below a folder by its path.
  func files(_ name: String) throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: self[name]) {
      let url = URL(fileURLWithPath: "\(self[name])/\(path)")
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      if !isFolder.boolValue { found[path] = Array(try Data(contentsOf: url)) }
    }
    return found
  }

  /// The names in a folder, hidden ones too.
  func names(_ name: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self[name]).sorted()
  }

  func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: self[name]))
  }
}

extension [String: [UInt8]] {
  func bytes(_ path: String) throws -> [UInt8] {
    guard let bytes = self[path] else {
      throw ExportError(.malformed, path, "is not there, only \(keys.sorted().prefix(5))")
    }
    return bytes
  }

  func text(_ path: String) throws -> String {
    String(decoding: try bytes(path), as: UTF8.self)
  }

  func lines(_ path: String) throws -> [String] {
    try text(path).split(separator: "\n").map(String.init)
  }

  func json(_ path: String) throws -> JSONValue { try JSONValue.parse(bytes(path)) }
}
