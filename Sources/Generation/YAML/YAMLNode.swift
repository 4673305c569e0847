import Yams

/// A value of a YAML file that people wrote, with its place for messages.
///
/// Read are files of at most 1 MB in UTF-8: mappings with plain text keys, sequences and scalars. Anchors,
/// aliases and tags are refused, so that a file means what it shows and cannot grow when read.
public struct YAMLNode: Sendable {
  /// What the value is.
  public enum Content: Sendable {
    /// Text, a number, a truth value: as written, quotes removed.
    case scalar(String)
    /// A list.
    case sequence([YAMLNode])
    /// Named values in the order of the file.
    case mapping([(key: String, value: YAMLNode)])
  }

  /// The largest file read, in bytes.
  public static let sizeLimit = 1 << 20
  /// The deepest nesting read.
  public static let depthLimit = 32

  /// The file.
  public let file: String
  /// The line, from 1.
  public let line: Int
  /// The value.
  public let content: Content

  /// Reads a file.
  ///
  /// - Throws: ``GenerationError`` with file and line.
  public static func read(_ path: String) throws -> YAMLNode {
    try parse(FileAccess.bytes(of: path, limit: sizeLimit), file: path)
  }

  /// Parses the bytes of a file named `file` in messages.
  ///
  /// - Throws: ``GenerationError`` with file and line.
  public static func parse(_ bytes: [UInt8], file: String) throws -> YAMLNode {
    guard bytes.count <= sizeLimit else {
      throw GenerationError(
        .malformed, file, "has \(bytes.count) bytes; at most \(sizeLimit) are read")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw GenerationError(.malformed, file, "is not UTF-8 text")
    }
    try checkNesting(bytes, file: file)
    do {
      // Nodes hold their anchors weakly: the parser must live while they are looked at.
      let parser = try Parser(yaml: text)
      return try withExtendedLifetime(parser) {
        guard let root = try parser.singleRoot() else {
          throw GenerationError(.malformed, file, "is empty")
        }
        return try YAMLNode(root, file: file, line: 1, depth: 0)
      }
    } catch let error as YamlError {
      throw fault(error, file: file)
    }
  }

  private init(_ node: Node, file: String, line: Int, depth: Int) throws {
    let line = node.mark?.line ?? line
    func refuse(_ message: String) -> GenerationError {
      GenerationError(.malformed, "\(file):\(line)", message)
    }
    guard node.anchor == nil else {
      throw refuse("anchors (&name) are not read here; write it out")
    }
    guard depth < Self.depthLimit else {
      throw refuse("nested deeper than \(Self.depthLimit) levels")
    }
    self.file = file
    self.line = line
    switch node {
    case .alias: throw refuse("aliases (*name) are not read here; write it out")
    case .scalar(let scalar):
      guard Self.plainTags.contains(node.tag.description) else {
        throw refuse("the tag \(node.tag.description) is not read here; remove it")
      }
      content = .scalar(scalar.string)
    case .sequence(let sequence):
      guard node.tag.description == "tag:yaml.org,2002:seq" else {
        throw refuse("the tag \(node.tag.description) is not read here; remove it")
      }
      content = .sequence(
        try sequence.map { try YAMLNode($0, file: file, line: line, depth: depth + 1) })
    case .mapping(let mapping):
      guard node.tag.description == "tag:yaml.org,2002:map" else {
        throw refuse("the tag \(node.tag.description) is not read here; remove it")
      }
      content = .mapping(
        try mapping.map { key, value in
          let key = try YAMLNode(key, file: file, line: line, depth: depth + 1)
          guard case .scalar(let name) = key.content else {
            throw GenerationError(.malformed, "\(file):\(key.line)", "a key must be plain text")
          }
          return (name, try YAMLNode(value, file: file, line: key.line, depth: depth + 1))
        })
    }
  }

  /// What an untagged scalar may look like; all are read as their text.
  private static let plainTags: Set<String> = Set(
    ["str", "bool", "float", "null", "int", "timestamp", "value"].map { "tag:yaml.org,2002:" + $0 })

  /// Refuses brackets nested so deeply that a recursive parser could run out of stack.
  private static func checkNesting(_ bytes: [UInt8], file: String) throws {
    var depth = 0
    for byte in bytes {
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { depth += 1 }
      if (byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")) && depth > 0 { depth -= 1 }
      guard depth <= 1000 else {
        throw GenerationError(.malformed, file, "nested deeper than \(depthLimit) levels")
      }
    }
  }

  private static func fault(_ error: YamlError, file: String) -> GenerationError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      GenerationError(.malformed, "\(file):\(mark.line)", "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      GenerationError(
        .malformed, "\(file):\(context.mark.line)",
        "the key \(duplicates.first ?? "") stands twice in one mapping")
    case .reader(let problem, _, _, _):
      GenerationError(.malformed, file, "not YAML: \(problem)")
    default:
      GenerationError(.malformed, file, "not one YAML document")
    }
  }
}
