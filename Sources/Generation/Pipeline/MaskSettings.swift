import CanonicalJSON
public import MaskGrounding

/// How the masks of a run are read; everything here changes bytes.
public struct MaskSettings: Sendable, Equatable {
  /// What reads them.
  public enum Source: Sendable, Equatable {
    /// The attention of picture to prompt.
    case attention(AttentionSettings)
    /// A grounding module: its weights file, and the file's SHA-256.
    case grounding(path: String, sha256: String)

    /// Its name on the command line.
    public var name: String {
      switch self {
      case .attention: "attention"
      case .grounding: "grounding"
      }
    }
  }

  /// What reads them.
  public var source: Source
  /// How maps become masks.
  public var composition: MaskComposer.Settings
  /// What to look for where the prompts are written by hand; a vocabulary's prompts say it themselves.
  public var entities: [String]
  /// Whether each mask is compared with that of the mirrored picture, which costs a second pass.
  public var flipCheck: Bool

  /// Describes masks.
  public init(
    source: Source, composition: MaskComposer.Settings = .init(), entities: [String] = [],
    flipCheck: Bool = false
  ) {
    self.source = source
    self.composition = composition
    self.entities = entities
    self.flipCheck = flipCheck
  }

  /// All of it, for run.json; a weights file by its hash, not by its path.
  var json: JSONValue {
    let source: JSONValue =
      switch source {
      case .attention(let settings): settings.json
      case .grounding(_, let sha256): ["name": "grounding", "weights_sha256": .string(sha256)]
      }
    return [
      "source": source,
      "threshold": .number(Double(composition.threshold)),
      "presence_threshold": .number(Double(composition.presenceThreshold)),
      "ignore_band": composition.ignoreBand.map { .number(Double($0)) } ?? .null,
      "entities": .array(entities.map { .string($0) }), "flip_check": .bool(flipCheck),
    ]
  }
}

extension AttentionSettings {
  fileprivate var json: JSONValue {
    let steps: JSONValue =
      switch steps {
      case .all: "all"
      case .share(let from, let to): .array([.number(from), .number(to)])
      case .listed(let steps): .array(steps.map { .integer(Int64($0)) })
      }
    let refinement: JSONValue =
      refinement.map {
        [
          "power": .integer(Int64($0.power)),
          "level": $0.level.map { .integer(Int64($0)) } ?? .null,
        ]
      } ?? .null
    return [
      "name": "attention",
      "levels": levels.map { .array($0.sorted().map { .integer(Int64($0)) }) } ?? .null,
      "steps": steps, "refinement": refinement, "normalisation": .string(normalisation.rawValue),
      "threshold": .number(Double(threshold)),
    ]
  }
}
