package import CanonicalJSON

/// The members of an object, all known and, but for those that may be left out, all there.
package struct RecordFields {
  package let json: JSONValue
  let path: String
  let what: String

  package init(
    _ json: JSONValue, path: String, what: String, keys: [String], optional: [String] = [],
    ignoresOthers: Bool = false
  ) throws {
    self.json = json
    self.path = path
    self.what = what
    guard let members = json.members else {
      throw DatasetError(.malformed, path: path, "the \(what) is \(json.kind), expected an object")
    }
    for member in members
    where !ignoresOthers && !keys.contains(member.name) && !optional.contains(member.name) {
      throw DatasetError(
        .malformed, path: path, "the \(what) has the unknown key \"\(member.name)\"")
    }
    for key in keys { _ = try value(key) }
  }

  /// The same of a file's bytes.
  package init(
    bytes: [UInt8], path: String, what: String, keys: [String], ignoresOthers: Bool = false
  ) throws {
    try self.init(
      RunContents.parse(bytes, path: path), path: path, what: what, keys: keys,
      ignoresOthers: ignoresOthers)
  }

  package func value(_ key: String) throws -> JSONValue {
    guard let value = json[key] else {
      throw DatasetError(.malformed, path: path, "the \(what) has no key \"\(key)\"")
    }
    return value
  }

  package func fault(_ key: String, expected: String) throws -> DatasetError {
    let found = String(try value(key).text.prefix(80))
    return DatasetError(
      .malformed, path: path, "the \(what)'s \"\(key)\" is \(found), expected \(expected)")
  }

  func isNull(_ key: String) throws -> Bool { try value(key).isNull }

  package func string(_ key: String) throws -> String {
    guard let text = try value(key).string else { throw try fault(key, expected: "a string") }
    return text
  }

  package func bool(_ key: String) throws -> Bool {
    guard let bool = try value(key).bool else { throw try fault(key, expected: "true or false") }
    return bool
  }

  func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int {
    guard let number = try value(key).integer, range.contains(number) else {
      throw try fault(
        key, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  package func number(_ key: String) throws -> Double {
    guard let number = try value(key).number else { throw try fault(key, expected: "a number") }
    return number
  }

  func share(_ key: String) throws -> Double {
    guard let number = try value(key).number, (0...1).contains(number) else {
      throw try fault(key, expected: "a number from 0 to 1")
    }
    return number
  }

  func seed(_ key: String) throws -> UInt64 {
    guard let text = try value(key).string, let seed = UInt64(text), String(seed) == text else {
      throw try fault(key, expected: "a string of digits, 0 to \(UInt64.max)")
    }
    return seed
  }

  func hash(_ key: String) throws -> String {
    let text = try string(key)
    guard ContentHash.isWellFormed(text) else {
      throw try fault(key, expected: "64 hexadecimal digits")
    }
    return text
  }

  package func array(_ key: String) throws -> [JSONValue] {
    guard let elements = try value(key).elements else { throw try fault(key, expected: "an array") }
    return elements
  }

  package func strings(_ key: String) throws -> [String] {
    try array(key).map { element in
      guard let text = element.string else { throw try fault(key, expected: "an array of strings") }
      return text
    }
  }

  func expect(_ key: String, _ expected: JSONValue) throws {
    guard try value(key) == expected else { throw try fault(key, expected: expected.text) }
  }
}
