package import CanonicalJSON
import Checkpoints
import LatentDiffusion

extension GroundingConfiguration {
  /// The key of a weights file's metadata under which its configuration stands.
  static let metadataKey = "triptych_grounding"
  private static let format: Int64 = 1
  private static let names = [
    "format", "levels", "reads_unconditional", "text_width", "width", "heads", "layers",
    "hidden_width", "patch", "statistics", "affine_norms", "spectral_norm", "epsilon", "presence",
    "presence_threshold", "steps", "prediction", "pixels_per_cell", "query_prefix", "pooling",
  ]
  private static let widthLimit = 1 << 16

  /// The configuration as it stands in a weights file.
  package var json: JSONValue {
    func list(_ numbers: [Int]) -> JSONValue { .array(numbers.map { .integer(Int64($0)) }) }
    return [
      "format": .integer(Self.format),
      "levels": .array(
        levels.map { ["width": .integer(Int64($0.width)), "channels": list($0.channels)] }),
      "reads_unconditional": .bool(readsUnconditional), "text_width": .integer(Int64(textWidth)),
      "width": .integer(Int64(width)), "heads": .integer(Int64(heads)),
      "layers": .integer(Int64(layers)), "hidden_width": .integer(Int64(hiddenWidth)),
      "patch": .integer(Int64(patch)), "statistics": .string(statistics.rawValue),
      "affine_norms": .bool(hasAffineNorms), "spectral_norm": .bool(hasSpectralNorm),
      "epsilon": .number(Double(epsilon)), "presence": .bool(hasPresence),
      "presence_threshold": .number(Double(presenceThreshold)),
      "steps": .array(
        steps.map {
          switch $0 {
          case .fromEnd(let count): ["from_end": .integer(Int64(count))]
          case .timestep(let timestep): ["timestep": .integer(Int64(timestep))]
          }
        }),
      "prediction": prediction.map { .string($0.rawValue) } ?? .null,
      "pixels_per_cell": .integer(Int64(pixelsPerCell)), "query_prefix": .string(queryPrefix),
      "pooling": .string(pooling.rawValue),
    ]
  }

  /// Reads a configuration out of a weights file's metadata.
  ///
  /// - Throws: `CheckpointError` naming the key.
  init(json text: String, file: String) throws {
    let json: JSONValue
    do {
      json = try JSONValue.parse(Array(text.utf8))
    } catch {
      throw CheckpointError(
        .malformed, file: file, key: Self.metadataKey, "is not valid JSON: \(error)")
    }
    let reader = Reader(json: json, file: file)
    guard let members = json.members else { throw reader.fault("", json, "an object") }
    if let unknown = members.first(where: { !Self.names.contains($0.name) }) {
      throw reader.fault(unknown.name, unknown.value, "no such key; the file is of a newer version")
    }
    guard try reader.value("format") == .integer(Self.format) else {
      throw reader.fault("format", try reader.value("format"), "\(Self.format)")
    }
    levels = try reader.list("levels", 1...16).map { level in
      let part = Reader(json: level, file: file)
      return Level(
        width: try part.integer("width", 1...4096),
        channels: try part.list("channels", 1...256).map {
          try part.integer($0, "channels", 1...Self.widthLimit)
        })
    }
    readsUnconditional = try reader.flag("reads_unconditional")
    textWidth = try reader.integer("text_width", 1...Self.widthLimit)
    width = try reader.integer("width", 1...Self.widthLimit)
    heads = try reader.integer("heads", 1...1024)
    layers = try reader.integer("layers", 1...64)
    hiddenWidth = try reader.integer("hidden_width", 1...Self.widthLimit)
    patch = try reader.integer("patch", 1...64)
    statistics = try reader.choice("statistics")
    hasAffineNorms = try reader.flag("affine_norms")
    hasSpectralNorm = try reader.flag("spectral_norm")
    epsilon = Float(try reader.number("epsilon", 1e-12...1))
    hasPresence = try reader.flag("presence")
    // Files of before it was said have none.
    presenceThreshold =
      json["presence_threshold"] == nil
      ? Self.usualPresenceThreshold : Float(try reader.number("presence_threshold", 0...1))
    steps = try reader.list("steps", 1...64).map { try reader.step($0) }
    prediction = try reader.value("prediction").isNull ? nil : try reader.choice("prediction")
    pixelsPerCell = try reader.integer("pixels_per_cell", 1...64)
    queryPrefix = try reader.string("query_prefix", limit: 256)
    pooling = try reader.choice("pooling")
    guard width % heads == 0 else {
      throw reader.fault("heads", .integer(Int64(heads)), "a divisor of width, \(width)")
    }
    guard mapWidth <= Self.widthLimit / (patch * patch) * 16 else {
      throw reader.fault("levels", .integer(Int64(mapWidth)), "fewer channels together")
    }
  }

  /// Reads checked values; every key must be there.
  private struct Reader {
    let json: JSONValue
    let file: String

    func value(_ key: String) throws -> JSONValue {
      guard let value = json[key] else {
        throw CheckpointError(
          .malformed, file: file, key: metadataKey, "the key \"\(key)\" is missing")
      }
      return value
    }

    func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int {
      try integer(try value(key), key, range)
    }

    func integer(_ value: JSONValue, _ key: String, _ range: ClosedRange<Int>) throws -> Int {
      guard let number = value.integer, range.contains(number) else {
        throw fault(key, value, "a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }

    func number(_ key: String, _ range: ClosedRange<Double>) throws -> Double {
      let value = try value(key)
      guard let number = value.number, range.contains(number) else {
        throw fault(key, value, "a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }

    func flag(_ key: String) throws -> Bool {
      let value = try value(key)
      guard let flag = value.bool else { throw fault(key, value, "true or false") }
      return flag
    }

    func string(_ key: String, limit: Int) throws -> String {
      let value = try value(key)
      guard let text = value.string, text.utf8.count <= limit else {
        throw fault(key, value, "a string of at most \(limit) bytes")
      }
      return text
    }

    func choice<T: RawRepresentable & CaseIterable>(_ key: String) throws -> T
    where T.RawValue == String {
      let value = try value(key)
      guard let choice = value.string.flatMap(T.init(rawValue:)) else {
        throw fault(key, value, T.allCases.map(\.rawValue).joined(separator: " or "))
      }
      return choice
    }

    func list(_ key: String, _ count: ClosedRange<Int>) throws -> [JSONValue] {
      let value = try value(key)
      guard let elements = value.elements, count.contains(elements.count) else {
        throw fault(key, value, "a list of \(count.lowerBound) to \(count.upperBound)")
      }
      return elements
    }

    func step(_ value: JSONValue) throws -> GroundingStep {
      guard let members = value.members, members.count == 1 else {
        throw fault("steps", value, "one of from_end and timestep")
      }
      let number = try integer(members[0].value, "steps", 0...1_000_000)
      switch members[0].name {
      case "from_end": return .fromEnd(number)
      case "timestep": return .timestep(number)
      default: throw fault("steps", value, "one of from_end and timestep")
      }
    }

    func fault(_ key: String, _ found: JSONValue, _ expected: String) -> CheckpointError {
      CheckpointError(
        .malformed, file: file, key: metadataKey,
        "\(JSONError.excerpt(of: key)): found \(JSONError.excerpt(of: found.text)), expected \(expected)"
      )
    }
  }
}
