import CanonicalJSON

/// Reads checked values out of a configuration file; a missing or null key takes its default.
struct ConfigurationReader: Sendable, Equatable {
  let json: JSONValue
  let file: String

  init(_ json: JSONValue, file: String) throws {
    guard json.members != nil else {
      throw DiffusionError(.malformed, file, "found \(json.kind), expected an object")
    }
    self.json = json
    self.file = file
  }

  /// The value of `key`, nil where it is absent or null.
  func value(_ key: String) -> JSONValue? {
    guard let value = json[key], !value.isNull else { return nil }
    return value
  }

  func integer(_ key: String, default standard: Int? = nil, in range: ClosedRange<Int>) throws
    -> Int
  {
    guard let value = value(key) else { return try required(key, standard) }
    return try integer(value, key, range)
  }

  func number(
    _ key: String, default standard: Double? = nil, in range: ClosedRange<Double>
  ) throws -> Double {
    guard let value = value(key) else { return try required(key, standard) }
    guard let number = value.number, range.contains(number) else {
      throw fault(key, value, "a number in \(range.lowerBound)...\(range.upperBound)")
    }
    return number
  }

  func flag(_ key: String, default standard: Bool) throws -> Bool {
    guard let value = value(key) else { return standard }
    guard let flag = value.bool else { throw fault(key, value, "true or false") }
    return flag
  }

  /// The value of `key` among the cases of a type.
  func choice<T: RawRepresentable & CaseIterable>(
    _ key: String, default standard: T
  ) throws -> T where T.RawValue == String {
    let name = try string(key, default: standard.rawValue)
    guard let choice = T(rawValue: name) else {
      let supported = T.allCases.map(\.rawValue).joined(separator: ", ")
      throw DiffusionError(
        .unsupported, file, key: key, "found \"\(name.prefix(60))\", supported: \(supported)")
    }
    return choice
  }

  func string(_ key: String, default standard: String? = nil) throws -> String {
    guard let value = value(key) else { return try required(key, standard) }
    guard let string = value.string else { throw fault(key, value, "a string") }
    return string
  }

  /// A list of whole numbers, `count` long where that is given.
  func integers(
    _ key: String, default standard: [Int]? = nil, count: Int? = nil, in range: ClosedRange<Int>
  ) throws -> [Int] {
    guard let value = value(key) else { return try required(key, standard) }
    guard let elements = value.elements else { throw fault(key, value, "a list") }
    try check(elements.count, key, count)
    return try elements.map { try integer($0, key, range) }
  }

  /// A list with one number for each level, or one number that counts for all of them.
  func integersOrOne(
    _ key: String, default standard: Int? = nil, count: Int, in range: ClosedRange<Int>
  ) throws -> [Int] {
    if value(key)?.elements != nil { return try integers(key, count: count, in: range) }
    let one = try integer(key, default: standard, in: range)
    return Array(repeating: one, count: count)
  }

  func strings(_ key: String, default standard: [String]? = nil) throws -> [String] {
    guard let value = value(key) else { return try required(key, standard) }
    guard let elements = value.elements else { throw fault(key, value, "a list of strings") }
    try check(elements.count, key, nil)
    return try elements.map { element in
      guard let string = element.string else { throw fault(key, element, "a string") }
      return string
    }
  }

  /// Refuses any value of `key` but those given; absent and null pass.
  func require(_ key: String, _ supported: JSONValue...) throws {
    guard let found = value(key), !supported.contains(found) else { return }
    // A number may be written 1 or 1.0.
    if let number = found.number, supported.contains(where: { $0.number == number }) { return }
    let list = supported.isEmpty ? "null" : supported.map(shown).joined(separator: " or ")
    throw DiffusionError(.unsupported, file, key: key, "found \(shown(found)), supported: \(list)")
  }

  func fault(_ key: String, _ found: JSONValue, _ expected: String) -> DiffusionError {
    DiffusionError(.malformed, file, key: key, "found \(shown(found)), expected \(expected)")
  }

  private func required<T>(_ key: String, _ standard: T?) throws -> T {
    guard let standard else {
      throw DiffusionError(.malformed, file, key: key, "the key is missing")
    }
    return standard
  }

  private func integer(_ value: JSONValue, _ key: String, _ range: ClosedRange<Int>) throws -> Int {
    guard let integer = value.integer, range.contains(integer) else {
      throw fault(key, value, "a whole number in \(range.lowerBound)...\(range.upperBound)")
    }
    return integer
  }

  private func check(_ found: Int, _ key: String, _ expected: Int?) throws {
    if let expected, found != expected {
      throw DiffusionError(
        .malformed, file, key: key, "found \(found) elements, expected \(expected), one a level")
    }
    guard found <= Self.listLimit else {
      throw DiffusionError(
        .malformed, file, key: key, "found \(found) elements, at most \(Self.listLimit) expected")
    }
  }

  /// Longer lists occur in no model; the limit keeps hostile files harmless.
  private static let listLimit = 64

  private func shown(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .integer(let integer): "\(integer)"
    case .number(let number): "\(number)"
    case .string(let string): "\"\(string.prefix(60))\""
    case .array(let elements): "[\(elements.prefix(8).map(shown).joined(separator: ", "))]"
    case .object: "an object"
    }
  }
}
