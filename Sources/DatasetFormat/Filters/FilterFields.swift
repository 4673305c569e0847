import CanonicalJSON

/// The members of an object of filter rules, each of which may be left out.
struct FilterFields {
  let json: JSONValue
  let keyPath: [String]

  init(_ json: JSONValue, keyPath: [String] = []) throws {
    self.json = json
    self.keyPath = keyPath
    guard json.members != nil else {
      throw FilterRules.Fault(keyPath: keyPath, "found \(json.kind), expected rules by name")
    }
  }

  func fault(_ key: String, _ message: String) -> FilterRules.Fault {
    FilterRules.Fault(keyPath: keyPath + [key], message)
  }

  /// Refuses keys that `known` has not.
  func checkKeys(_ known: JSONValue) throws {
    let names = known.members?.map(\.name) ?? []
    for member in json.members ?? [] where !names.contains(member.name) {
      throw fault(member.name, "unknown rule; known are \(names.joined(separator: ", "))")
    }
  }

  func object(_ key: String) throws -> FilterFields? {
    try json[key].map { try FilterFields($0, keyPath: keyPath + [key]) }
  }

  func bool(_ key: String) throws -> Bool? {
    guard let value = json[key] else { return nil }
    guard let bool = value.bool else {
      throw fault(key, "found \(shown(value)), expected true or false")
    }
    return bool
  }

  func setShare(_ key: String, _ bound: inout Double?) throws {
    guard let value = json[key] else { return }
    if value.isNull {
      bound = nil
      return
    }
    guard let number = value.number, (0...1).contains(number) else {
      throw fault(key, "found \(shown(value)), expected a number from 0 to 1, or null for no bound")
    }
    bound = number
  }

  func setInteger(_ key: String, in range: ClosedRange<Int>, _ bound: inout Int?) throws {
    guard let value = json[key] else { return }
    if value.isNull {
      bound = nil
      return
    }
    guard let number = value.integer, range.contains(number) else {
      throw fault(
        key,
        "found \(shown(value)), expected a whole number from \(range.lowerBound) to "
          + "\(range.upperBound), or null for no bound")
    }
    bound = number
  }

  private func shown(_ value: JSONValue) -> String { String(value.text.prefix(60)) }
}
