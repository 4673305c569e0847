/// A class of a vocabulary and how a prompt says it.
public struct VocabularyClass: Sendable, Equatable {
  /// Whether a class counts as seen in training.
  public enum Split: String, Sendable, CaseIterable {
    /// Labelled in training.
    case seen
    /// Never labelled in training.
    case unseen
    /// Not said.
    case undecided = "-"
  }

  /// The official name.
  public let name: String
  /// How a prompt says it.
  public let words: String
  /// Other names.
  public let aliases: [String]
  /// What stands before the words: "a", "an", "the", "a pair of", or nothing.
  public let article: String
  /// Seen or unseen.
  public let split: Split

  /// A class known by its name alone.
  ///
  /// - Throws: ``GenerationError`` at `place` where the name is unusable.
  public init(name: String, place: String) throws {
    try self.init(
      name: name, words: nil, aliases: [], article: nil, split: .undecided, place: place)
  }

  /// Reads an entry of a vocabulary file: a name, or a mapping.
  ///
  /// - Throws: ``GenerationError`` with file and line.
  init(_ node: YAMLNode) throws {
    let place = "\(node.file):\(node.line)"
    if case .scalar = node.content {
      try self.init(name: node.text("class"), place: place)
      return
    }
    var name: String?
    var words: String?
    var aliases: [String] = []
    var article: String?
    var split = Split.undecided
    let known = ["name", "words", "aliases", "article", "split"]
    for (key, value) in try node.members("class", allowed: known) {
      switch key {
      case "name": name = try value.text(key)
      case "words": words = try value.text(key)
      case "aliases": aliases = try value.list(key).map { try $0.text("alias") }
      case "article": article = try value.text(key)
      default:
        guard let value = Split(rawValue: try value.text(key)) else {
          throw node.fault("split: expected seen, unseen or -")
        }
        split = value
      }
    }
    guard let name else { throw node.fault("the key \"name\" is missing") }
    try self.init(
      name: name, words: words, aliases: aliases, article: article, split: split, place: place)
  }

  private init(
    name: String, words: String?, aliases: [String], article: String?, split: Split, place: String
  ) throws {
    for text in [name, words ?? name] + aliases + [article ?? name] {
      let isClean = text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
      guard isClean, text.utf8.count <= 200, !text.contains(",") else {
        throw GenerationError(
          .malformed, place,
          "a name, its words and aliases may have 200 bytes each, no commas and no control characters"
        )
      }
    }
    self.name = name
    self.words = words ?? name
    self.aliases = aliases
    self.article = article == "none" ? "" : article ?? Self.article(for: words ?? name)
    self.split = split
  }

  /// The words with their article.
  public var phrase: String { article.isEmpty ? words : "\(article) \(words)" }

  /// "a" or "an", by the sound a word begins with.
  static func article(for words: String) -> String {
    let word = words.lowercased()
    if ["hour", "honest", "heir", "honor", "honour", "x-ray"].contains(where: word.hasPrefix) {
      return "an"
    }
    let spokenWithConsonant = ["uni", "use", "uke", "uter", "uten", "eu", "ewe", "one", "once"]
    if spokenWithConsonant.contains(where: word.hasPrefix) && !word.hasPrefix("unin") { return "a" }
    return word.first.map { "aeiou".contains($0) } == true ? "an" : "a"
  }
}
