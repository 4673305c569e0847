import Foundation
import Testing

/// A new folder that is removed with its contents when the test lets go of it.
public final class TemporaryFolder {
  /// Where it is.
  public let path: String

  /// Makes the folder.
  ///
  /// - Parameter inMemory: in memory where the system offers it, for tests that would wait for the disk a thousand times.
  /// - Throws: where the system makes none.
  public init(inMemory: Bool = false) throws {
    let memory = URL(fileURLWithPath: "/dev/shm", isDirectory: true)
    let base =
      inMemory && FileManager.default.isWritableFile(atPath: memory.path)
      ? memory : FileManager.default.temporaryDirectory
    path = base.appending(path: "triptych-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    // Tests take permissions away; folders come before what is in them.
    let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    for name in [""] + names { chmod(self[name], 0o755) }
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      Issue.record("\(path) cannot be removed: \(error)")
    }
  }

  /// The path of a name in the folder.
  public subscript(_ name: String) -> String { name.isEmpty ? path : "\(path)/\(name)" }

  /// Writes a file, making the folders on the way; its path.
  @discardableResult
  public func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
    let url = URL(fileURLWithPath: self[name])
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return self[name]
  }

  /// Writes a text as ``write(_:to:)`` does.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    try write(text.utf8, to: name)
  }

  /// The names in a folder below, hidden ones too, sorted.
  public func names(_ folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self[folder]).sorted()
  }

  /// The bytes of every file below a folder by its path from there.
  public func files(_ folder: String = "") throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: self[folder]) {
      let url = URL(fileURLWithPath: "\(self[folder])/\(name)")
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      if !isFolder.boolValue { found[name] = Array(try Data(contentsOf: url)) }
    }
    return found
  }
}
