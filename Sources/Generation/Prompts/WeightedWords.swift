/// A list to draw from, each entry by its weight.
public struct WeightedWords: Sendable, Equatable {
  /// An entry.
  public struct Entry: Sendable, Equatable {
    /// What it says.
    public let text: String
    /// How often it is drawn in comparison with the others.
    public let weight: Double
  }

  /// The largest weight.
  static let weightLimit = 1e6

  /// The entries in the order of the file.
  public let entries: [Entry]
  private let total: Double
  private let isEven: Bool

  /// The entries' texts.
  public var words: [String] { entries.map(\.text) }

  /// - Precondition: at least one entry.
  init(_ entries: [Entry]) {
    precondition(!entries.isEmpty, "a list to draw from without entries")
    self.entries = entries
    total = entries.reduce(0) { $0 + $1.weight }
    isEven = entries.allSatisfy { $0.weight == entries[0].weight }
  }

  /// Draws an entry.
  func draw(_ stream: inout ChoiceStream) -> String {
    if isEven { return entries[stream.next(below: entries.count)].text }
    var left = stream.nextFraction() * total
    for entry in entries {
      left -= entry.weight
      if left < 0 { return entry.text }
    }
    return entries[entries.count - 1].text
  }

  /// Reads an entry: its text, or a mapping of text and weight.
  ///
  /// - Throws: ``GenerationError`` with file and line.
  static func entry(_ node: YAMLNode, _ label: String) throws -> Entry {
    if case .scalar = node.content { return Entry(text: try node.text(label), weight: 1) }
    var text: String?
    var weight = 1.0
    for (key, value) in try node.members(label, allowed: ["text", "weight"]) {
      switch key {
      case "text": text = try value.text(key)
      default: weight = try Self.weight(value)
      }
    }
    guard let text else { throw node.fault("the key \"text\" is missing") }
    return Entry(text: text, weight: weight)
  }

  private static func weight(_ node: YAMLNode) throws -> Double {
    let written = try node.text("weight")
    guard let number = Double(written), number > 0, number <= weightLimit else {
      throw node.fault("weight: found \(written), expected a number above 0, at most 1000000")
    }
    return number
  }
}
