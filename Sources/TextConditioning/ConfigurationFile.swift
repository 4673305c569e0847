import CanonicalJSON
import Checkpoints
import Foundation

/// A text file of a model folder: read whole, below a size, and blamed by name when something is wrong.
struct ConfigurationFile {
  let path: String

  /// A file of a folder.
  init(_ name: String, in folder: String) {
    path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// A file.
  init(_ path: String) { self.path = path }

  /// Whether anything has this name.
  var exists: Bool { FileManager.default.fileExists(atPath: path) }

  /// Reads the file.
  ///
  /// - Throws: `CheckpointError` if it is absent, no regular file, larger than `limit` bytes or unreadable.
  func bytes(limit: Int) throws -> [UInt8] { try RegularFile(path: path).contents(limit: limit) }

  /// Reads the file as JSON with an object at the top.
  ///
  /// - Throws: `CheckpointError` as ``bytes(limit:)``, or with the byte position of a fault.
  func object(limit: Int) throws -> JSONValue {
    try RegularFile(path: path).jsonObject(limit: limit)
  }

  /// What is wrong with the file's contents.
  func fault(_ key: String? = nil, _ message: String) -> CheckpointError {
    CheckpointError(.malformed, file: path, key: key, message)
  }

  /// What the file asks for and is not supported.
  func refusal(_ key: String? = nil, _ message: String) -> CheckpointError {
    CheckpointError(.unsupported, file: path, key: key, message)
  }
}

/// A text from a file in quotes, escaped and shortened, so that a message stays one readable line.
func quoted(_ text: String) -> String {
  let shown = String(String.UnicodeScalarView(text.unicodeScalars.prefix(40)))
  return "\(String(reflecting: shown))\(shown.utf8.count < text.utf8.count ? "…" : "")"
}

/// A JSON value from a file for a message: scalars as they are, everything else by kind.
func shown(_ value: JSONValue?) -> String {
  switch value {
  case nil: "nothing"
  case .string(let text): quoted(text)
  case .integer(let number): "\(number)"
  case .number(let number): "\(number)"
  case .bool(let bool): "\(bool)"
  case .some(let other): other.kind
  }
}
