extension YAMLNode {
  /// What kind of value this is, for messages.
  public var kind: String {
    switch content {
    case .scalar: "text"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }

  /// A fault at this value.
  public func fault(_ message: String) -> GenerationError {
    GenerationError(.malformed, "\(file):\(line)", message)
  }

  /// The text of a scalar that is not empty.
  ///
  /// - Throws: ``GenerationError`` where it is something else.
  public func text(_ label: String) throws -> String {
    guard case .scalar(let text) = content else {
      throw fault("\(label): found \(kind), expected text")
    }
    guard !text.isEmpty else { throw fault("\(label): is empty, expected text") }
    return text
  }

  /// The elements of a list that is not empty.
  ///
  /// - Throws: ``GenerationError`` where it is something else.
  public func list(_ label: String) throws -> [YAMLNode] {
    guard case .sequence(let elements) = content else {
      throw fault("\(label): found \(kind), expected a list")
    }
    guard !elements.isEmpty else { throw fault("\(label): the list is empty") }
    return elements
  }

  /// The members of a mapping whose keys are all known.
  ///
  /// - Throws: ``GenerationError`` naming the first key that is not.
  public func members(
    _ label: String, allowed: [String]
  ) throws -> [(key: String, value: YAMLNode)] {
    let members = try members(label)
    for (key, value) in members where !allowed.contains(key) {
      throw value.fault(
        "\(label): unknown key \"\(key)\"; known are \(allowed.joined(separator: ", "))")
    }
    return members
  }

  /// The members of a mapping with any keys.
  ///
  /// - Throws: ``GenerationError`` where it is no mapping.
  public func members(_ label: String) throws -> [(key: String, value: YAMLNode)] {
    guard case .mapping(let members) = content else {
      throw fault("\(label): found \(kind), expected a mapping")
    }
    return members
  }
}
