import CanonicalJSON
public import DatasetFormat

/// Filter rules that people write, in YAML.
///
///     attempts: 4
///     picture: {min_contrast: 0.02, max_clipped: 0.9, duplicate_distance: 2}
///     entities: {require_named: true, min_area: 0.01, max_area: 0.9, min_confidence: 0.6, max_parts: 8}
///     classes:
///       dog: {max_parts: 2, border: false}
///
/// `null` and `off` take a bound away; what is left out stays as it is where nobody says.
public enum FilterRulesFile {
  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - rules: what holds for rules that the file leaves out.
  /// - Returns: the rules.
  /// - Throws: ``GenerationError`` with file and line.
  public static func read(_ path: String, changing rules: FilterRules) throws -> FilterRules {
    try self.rules(YAMLNode.read(path), changing: rules)
  }

  /// Reads rules from YAML that was read already.
  ///
  /// - Throws: ``GenerationError`` with file and line.
  public static func rules(
    _ node: YAMLNode, changing rules: FilterRules
  ) throws -> FilterRules {
    do {
      return try FilterRules(json: json(node), changing: rules)
    } catch let fault as FilterRules.Fault {
      throw place(fault.keyPath, in: node).fault(fault.description)
    }
  }

  /// Refuses rules for classes that a run has not, at their line.
  ///
  /// - Throws: ``GenerationError``.
  public static func check(
    _ rules: FilterRules, against classes: ClassTable, file: String
  ) throws {
    do {
      try rules.check(against: classes)
    } catch let fault as FilterRules.Fault {
      throw GenerationError(.malformed, file, fault.description)
    }
  }

  /// The value that keys lead to, as far as they lead.
  private static func place(_ keys: [String], in node: YAMLNode) -> YAMLNode {
    guard let key = keys.first, case .mapping(let members) = node.content,
      let next = members.first(where: { $0.key == key })?.value
    else { return node }
    return place(Array(keys.dropFirst()), in: next)
  }

  private static func json(_ node: YAMLNode) -> JSONValue {
    switch node.content {
    case .sequence(let elements): return .array(elements.map(json))
    case .mapping(let members):
      return .object(members.map { JSONValue.Member($0.key, json($0.value)) })
    case .scalar(let text):
      switch text {
      case "null", "~", "off", "": return .null
      case "true": return .bool(true)
      case "false": return .bool(false)
      default:
        if let whole = Int64(text) { return .integer(whole) }
        if let number = Double(text), number.isFinite { return .number(number) }
        return .string(text)
      }
    }
  }
}
