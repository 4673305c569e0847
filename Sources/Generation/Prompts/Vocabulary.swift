/// A list of classes to make pictures of; ids follow the order, from 1.
public struct Vocabulary: Sendable, Equatable {
  /// The most classes a list may have.
  public static let sizeLimit = 65_534

  /// Where the list comes from: a preset's name, a file, or "list".
  public let name: String
  /// The classes in order.
  public let classes: [VocabularyClass]

  /// Reads `classes:` of a YAML file, or one name a line of a text file (`.txt`).
  ///
  /// - Throws: ``GenerationError`` with file and line.
  public init(file: String, name: String) throws {
    if file.hasSuffix(".txt") {
      try self.init(textFile: file, name: name)
      return
    }
    let root = try YAMLNode.read(file)
    let members = try root.members("vocabulary", allowed: ["classes"])
    guard let list = members.first?.value else {
      throw root.fault("the key \"classes\" is missing")
    }
    let classes = try list.list("classes").map { ($0, try VocabularyClass($0)) }
    try self.init(name: name, classes.map { ($0.1, "\(file):\($0.0.line)") })
  }

  /// Reads a list such as "dog, cat, mug".
  ///
  /// - Throws: ``GenerationError`` where it is empty, or a name stands twice or is unusable.
  public init(list: String) throws {
    let names = list.split(separator: ",").map(Self.trimmed).filter { !$0.isEmpty }
    try self.init(
      name: "list",
      names.map { (try VocabularyClass(name: $0, place: "--vocabulary"), "--vocabulary") })
  }

  private init(textFile file: String, name: String) throws {
    let bytes = try FileAccess.bytes(of: file, limit: YAMLNode.sizeLimit)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw GenerationError(.malformed, file, "is not UTF-8 text")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(Self.trimmed)
    let classes = try lines.enumerated().filter { !$1.isEmpty && !$1.hasPrefix("#") }.map {
      (try VocabularyClass(name: $1, place: "\(file):\($0 + 1)"), "\(file):\($0 + 1)")
    }
    try self.init(name: name, classes)
  }

  private init(name: String, _ classes: [(VocabularyClass, place: String)]) throws {
    guard !classes.isEmpty else { throw GenerationError(.malformed, name, "names no class") }
    guard classes.count <= Self.sizeLimit else {
      throw GenerationError(
        .malformed, name, "has \(classes.count) classes; at most \(Self.sizeLimit) can be used")
    }
    var seen = Set<String>()
    for (one, place) in classes where !seen.insert(one.name).inserted {
      throw GenerationError(.malformed, place, "the class \"\(one.name)\" stands twice")
    }
    self.name = name
    self.classes = classes.map(\.0)
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
