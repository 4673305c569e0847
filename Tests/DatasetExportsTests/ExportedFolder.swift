import CanonicalJSON
import DatasetExports
import DatasetFormat
import Foundation
import TestSupport

extension TemporaryFolder {
  /// Exports a run in this folder.
  @discardableResult
  func export(
    _ run: String, to name: String, _ options: ExportOptions,
    fileSystem: (any FileSystem)? = nil
  ) throws -> DatasetExport.Summary {
    try DatasetExport(RunContents.open(path: self[run]), options: options)
      .write(to: self[name], fileSystem: fileSystem) { _ in }
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
