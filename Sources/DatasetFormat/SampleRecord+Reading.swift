public import CanonicalJSON
import Imaging

extension SampleRecord {
  /// Reads and checks a line.
  ///
  /// - Parameters:
  ///   - line: a line without its end.
  ///   - path: the file, for messages.
  /// - Throws: ``DatasetError`` `malformed` with the key that is wrong.
  public init(line: some Collection<UInt8>, path: String) throws {
    do {
      try self.init(json: JSONValue.parse(line), path: path)
    } catch let error as JSONError {
      throw DatasetError(.malformed, path: path, "the record is no JSON: \(error)")
    }
  }

  /// Reads and checks a record.
  ///
  /// - Parameters:
  ///   - json: the record.
  ///   - path: the file, for messages.
  /// - Throws: ``DatasetError`` `malformed` with the key that is wrong.
  public init(json: JSONValue, path: String) throws {
    let fields = try RecordFields(
      json, path: path, what: "record",
      keys: [
        "index", "image", "mask", "prompt", "seed", "attempt", "steps", "guidance", "scheduler",
        "width", "height", "accepted", "reasons", "entities",
      ])
    self.init(
      index: try fields.integer("index", in: 0...RunLayout.sampleLimit - 1),
      hasMask: try fields.value("mask") != .null,
      prompt: try fields.string("prompt"), seed: try fields.seed("seed"),
      attempt: try fields.integer("attempt", in: 0...Int(Int32.max)),
      steps: try fields.integer("steps", in: 0...Int(Int32.max)),
      guidance: try fields.number("guidance"), scheduler: try fields.string("scheduler"),
      width: try fields.integer("width", in: 1...PixelImage.sideLimit),
      height: try fields.integer("height", in: 1...PixelImage.sideLimit),
      reasons: try fields.strings("reasons"),
      entities: try fields.array("entities").map { try Entity(json: $0, path: path) })
    try fields.expect("image", .string(image))
    if let mask { try fields.expect("mask", .string(mask)) }
    try fields.expect("accepted", .bool(isAccepted))
  }
}

extension SampleRecord.Entity {
  fileprivate init(json: JSONValue, path: String) throws {
    let fields = try RecordFields(
      json, path: path, what: "entity",
      keys: [
        "name", "class_id", "words", "named", "present", "presence", "area", "confidence",
        "edge_confidence",
      ])
    self.init(
      name: try fields.string("name"),
      classID: try fields.integer("class_id", in: ClassTable.idRange),
      words: try fields.string("words"), isNamed: try fields.bool("named"),
      isPresent: try fields.bool("present"), presence: try fields.share("presence"),
      area: try fields.share("area"), confidence: try fields.share("confidence"),
      edgeConfidence: try fields.share("edge_confidence"))
  }
}

/// The members of an object, all known and all there.
struct RecordFields {
  let json: JSONValue
  let path: String
  let what: String

  init(_ json: JSONValue, path: String, what: String, keys: [String]) throws {
    self.json = json
    self.path = path
    self.what = what
    guard let members = json.members else {
      throw DatasetError(.malformed, path: path, "the \(what) is \(json.kind), expected an object")
    }
    for member in members where !keys.contains(member.name) {
      throw DatasetError(
        .malformed, path: path, "the \(what) has the unknown key \"\(member.name)\"")
    }
    for key in keys { _ = try value(key) }
  }

  func value(_ key: String) throws -> JSONValue {
    guard let value = json[key] else {
      throw DatasetError(.malformed, path: path, "the \(what) has no key \"\(key)\"")
    }
    return value
  }

  func fault(_ key: String, expected: String) throws -> DatasetError {
    let found = String(try value(key).text.prefix(80))
    return DatasetError(
      .malformed, path: path, "the \(what)'s \"\(key)\" is \(found), expected \(expected)")
  }

  func string(_ key: String) throws -> String {
    guard let text = try value(key).string else { throw try fault(key, expected: "a string") }
    return text
  }

  func bool(_ key: String) throws -> Bool {
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

  func number(_ key: String) throws -> Double {
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

  func array(_ key: String) throws -> [JSONValue] {
    guard let elements = try value(key).elements else { throw try fault(key, expected: "an array") }
    return elements
  }

  func strings(_ key: String) throws -> [String] {
    try array(key).map { element in
      guard let text = element.string else { throw try fault(key, expected: "an array of strings") }
      return text
    }
  }

  func expect(_ key: String, _ expected: JSONValue) throws {
    guard try value(key) == expected else { throw try fault(key, expected: expected.text) }
  }
}
