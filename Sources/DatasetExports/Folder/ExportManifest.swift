package import CanonicalJSON
import DatasetFormat

/// Every file of an export or a gallery with its size and hash.
package struct ExportManifest {
  /// The manifest's own file.
  package static let name = "manifest.json"
  /// The most bytes that are read of an earlier one.
  static let limit = 1 << 30
  private let kind: ExportFolder.Kind

  init(_ kind: ExportFolder.Kind) { self.kind = kind }

  /// The first member says whose it is; members are sorted, so it must sort before all others.
  private static func head(_ kind: ExportFolder.Kind) -> String {
    let exporter = kind == .export ? "triptych" : "triptych \(kind.rawValue)"
    return "{\n  \"exporter\": \"\(exporter)\",\n"
  }

  private var entries = PackedFileList()

  /// How many files there are.
  package var count: Int { entries.count }
  /// The bytes of all files.
  package private(set) var byteCount = 0

  mutating func add(path: String, size: Int, sha256: [UInt8]) {
    entries.append(.init(path: path, size: size, sha256: sha256))
    byteCount += size
  }

  /// The files whose paths begin so, sorted.
  func files(below prefix: String) -> [(path: String, size: Int, sha256: String)] {
    // Lazily: of a million files a few are wanted.
    entries.sortedPlaces.lazy.map { entries[$0] }.filter { $0.path.hasPrefix(prefix) }.map {
      ($0.path, $0.size, ContentHash.hexadecimal($0.sha256))
    }
  }

  /// Writes the manifest as canonical JSON, file by file.
  ///
  /// - Parameters:
  ///   - file: the file, with nothing in it.
  ///   - facts: further members; their names sort behind `files`.
  /// - Throws: `DatasetError` where the disk fails.
  package func write(to file: ExportFile, facts: [JSONValue.Member]) throws {
    let facts = facts.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    precondition(facts.allSatisfy { $0.name > "files" }, "\(facts.map(\.name))")
    try file.write(Self.head(kind) + "  \"files\": [")
    for (position, place) in entries.sortedPlaces.enumerated() {
      let entry = entries[place]
      let json: JSONValue = [
        "path": .string(entry.path), "sha256": .string(ContentHash.hexadecimal(entry.sha256)),
        "size": .integer(Int64(entry.size)),
      ]
      try file.write((position == 0 ? "\n" : ",\n") + Self.indented(json, by: 4))
    }
    try file.write("\n  ]")
    for fact in facts {
      let value = Self.indented(fact.value, by: 2).drop { $0 == " " }
      try file.write(",\n  \(JSONValue.string(fact.name).text): \(value)")
    }
    try file.write("\n}\n")
  }

  private static func indented(_ value: JSONValue, by spaces: Int) -> String {
    let margin = String(repeating: " ", count: spaces)
    return value.canonicalText.split(separator: "\n").map { margin + $0 }.joined(separator: "\n")
  }

  /// The paths that a manifest lists; nil where the bytes are no manifest of this program and kind.
  static func paths(in bytes: [UInt8], of kind: ExportFolder.Kind) -> Set<String>? {
    guard bytes.starts(with: head(kind).utf8) else { return nil }
    do {
      return try bytes.withUnsafeBufferPointer { buffer in try paths(in: buffer) }
    } catch {
      return nil
    }
  }

  private static func paths(in buffer: UnsafeBufferPointer<UInt8>) throws(JSONError) -> Set<String>
  {
    var paths: Set<String> = []
    var reader = JSONReader(buffer, depthLimit: 64)
    var object = try reader.beginObject()
    while let name = try reader.nextName(in: &object) {
      guard name == "files" else {
        _ = try reader.value()
        continue
      }
      var list = try reader.beginArray()
      while try reader.nextElement(in: &list) {
        if let path = try reader.value()["path"]?.string { paths.insert(path) }
      }
    }
    try reader.end()
    return paths
  }
}
