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
  func bytes(limit: Int) throws -> [UInt8] {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw CheckpointError(.missingFile, file: path, "the file is missing; a model folder has one")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CheckpointError(.unreadable, file: path, "expected a regular file")
    }
    guard status.st_size <= limit else { throw tooLarge("\(status.st_size)", limit) }
    let data: Data
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      data = try handle.read(upToCount: limit + 1) ?? Data()
    } catch {
      throw CheckpointError(.unreadable, file: path, "the file cannot be read: \(error)")
    }
    guard data.count <= limit else { throw tooLarge("more than \(limit)", limit) }
    return Array(data)
  }

  /// Reads the file as JSON with an object at the top.
  ///
  /// - Throws: `CheckpointError` as ``bytes(limit:)``, or with the byte position of a fault.
  func object(limit: Int) throws -> JSONValue {
    let value: JSONValue
    do {
      value = try JSONValue.parse(try bytes(limit: limit))
    } catch let error as JSONError {
      throw CheckpointError(.malformed, file: path, "not valid JSON: \(error)")
    }
    guard value.members != nil else {
      throw CheckpointError(
        .malformed, file: path, "expected an object at the top, found \(value.kind)")
    }
    return value
  }

  /// What is wrong with the file's contents.
  func fault(_ key: String? = nil, _ message: String) -> CheckpointError {
    CheckpointError(.malformed, file: path, key: key, message)
  }

  /// What the file asks for and is not supported.
  func refusal(_ key: String? = nil, _ message: String) -> CheckpointError {
    CheckpointError(.unsupported, file: path, key: key, message)
  }

  private func tooLarge(_ size: String, _ limit: Int) -> CheckpointError {
    CheckpointError(
      .malformed, file: path, "found \(size) bytes, expected at most \(limit)")
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
