import Foundation
import TestSupport
import TextConditioning

/// The files beside `Tests/Fixtures/text/generate_*.py`.
enum TextFixtures {
  static let flavours = ["sd1", "sd2", "small", "declared", "legacy"]
  static let folder = Fixture.folder.appendingPathComponent("text")

  static func data(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(name))
  }

  static func decoded<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> T {
    try JSONDecoder().decode(T.self, from: try data(name))
  }

  /// The JSON values of a file with one a line.
  static func lines<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> [T] {
    try data(name).split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(T.self, from: Data($0))
    }
  }

  /// The tokenizer of a flavour: `sd1`, `sd2`, `small`, `declared` or `legacy`.
  static func tokenizer(_ flavour: String) throws -> CLIPTokenizer {
    if flavour == "small" {
      return try CLIPTokenizer(folder: folder.appendingPathComponent(flavour).path)
    }
    var files = try contents(flavour)
    if flavour.hasPrefix("sd") {
      files["merges.txt"] = try data("clip/merges.txt")
      files["vocab.json"] = try clipVocabulary(merges: try data("clip/merges.txt"))
    } else {
      for name in ["vocab.json", "merges.txt"] { files[name] = try data("small/\(name)") }
    }
    return try withFolder(files) { try CLIPTokenizer(folder: $0) }
  }

  /// The files of a fixture folder.
  static func contents(_ name: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    let place = folder.appendingPathComponent(name).path
    for file in try FileManager.default.contentsOfDirectory(atPath: place) {
      files[file] = try data("\(name)/\(file)")
    }
    return files
  }

  /// Calls `body` with a folder of these files, and removes it.
  static func withFolder<R>(_ files: [String: Data], _ body: (String) throws -> R) throws -> R {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    for (name, data) in files { try folder.write(data, to: name) }
    return try body(folder.path)
  }

  /// CLIP's vocabulary: the bytes, the bytes at a word's end, what the merges make, begin and end.
  private static func clipVocabulary(merges: Data) throws -> Data {
    let printable = Array(0x21...0x7e) + Array(0xa1...0xac) + Array(0xae...0xff)
    let spelled = (printable + Array(0x100..<0x100 + 256 - printable.count)).map { scalar in
      String(UnicodeScalar(scalar).map(Character.init) ?? "?")
    }
    let made = String(decoding: merges, as: UTF8.self).split(separator: "\n").dropFirst()
      .map { $0.replacingOccurrences(of: " ", with: "") }
    let pieces =
      spelled + spelled.map { $0 + "</w>" } + made + ["<|startoftext|>", "<|endoftext|>"]
    let entries = pieces.enumerated().map { id, piece in
      let escaped = piece.replacingOccurrences(of: "\\", with: "\\\\")
        .replacingOccurrences(of: "\"", with: "\\\"")
      return "\"\(escaped)\": \(id)"
    }
    return Data("{\(entries.joined(separator: ",\n"))}".utf8)
  }
}
