import MaskGrounding

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
  /// How a prompt says several of it; ``words`` where it cannot be counted.
  public let plural: String
  /// Other names.
  public let aliases: [String]
  /// What stands before the words: "a", "an", "the", "a pair of", or nothing.
  public let article: String
  /// Whether there can be two of it: not of what has no article, or "the".
  public let isCountable: Bool
  /// Seen or unseen.
  public internal(set) var split: Split

  /// A class known by its name alone.
  ///
  /// - Throws: ``GenerationError`` at `place` where the name is unusable.
  public init(name: String, place: String) throws {
    try self.init(Description(name: name), place: place)
  }

  /// Reads an entry of a vocabulary file: a name, or a mapping.
  ///
  /// - Throws: ``GenerationError`` with file and line.
  init(_ node: YAMLNode) throws {
    let place = "\(node.file):\(node.line)"
    if case .scalar = node.content {
      try self.init(Description(name: node.text("class")), place: place)
      return
    }
    var description = Description(name: "")
    let known = ["name", "words", "plural", "aliases", "article", "split"]
    for (key, value) in try node.members("class", allowed: known) {
      switch key {
      case "name": description.name = try value.text(key)
      case "words": description.words = try value.text(key)
      case "plural": description.plural = try value.text(key)
      case "aliases": description.aliases = try value.list(key).map { try $0.text("alias") }
      case "article": description.article = try value.text(key)
      default:
        guard let split = Split(rawValue: try value.text(key)) else {
          throw value.fault("split: expected seen, unseen or -")
        }
        description.split = split
      }
    }
    guard !description.name.isEmpty else { throw node.fault("the key \"name\" is missing") }
    try self.init(description, place: place)
  }

  /// What a file may say of a class.
  package struct Description {
    var name: String
    var words: String?
    var plural: String?
    var aliases: [String] = []
    var article: String?
    var split = Split.undecided

    /// What a name alone, aliases or a side of a split say.
    package init(name: String, aliases: [String] = [], split: Split = .undecided) {
      self.name = name
      self.aliases = aliases
      self.split = split
    }

    /// The same, said as another list says the class.
    package func said(as other: VocabularyClass?) -> Description {
      guard let other else { return self }
      var said = self
      said.words = other.words
      said.article = other.article.isEmpty ? "none" : other.article
      said.plural = other.isCountable ? other.plural : "none"
      return said
    }
  }

  /// Checks a description.
  ///
  /// - Throws: ``GenerationError`` at `place`.
  package init(_ description: Description, place: String) throws {
    let words = description.words ?? description.name
    let all = [description.name, words] + description.aliases
    for text in all + [description.article, description.plural].compactMap({ $0 }) {
      let isClean = text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
      guard isClean, text.utf8.count <= 200, !text.contains(",") else {
        throw GenerationError(
          .malformed, place,
          "a name, its words and aliases may have 200 bytes each, no commas and no control characters"
        )
      }
    }
    name = description.name
    self.words = words
    aliases = description.aliases
    split = description.split
    article =
      description.article == "none" ? "" : description.article ?? EnglishArticle.before(words)
    let isNumbered = article == "a" || article == "an" || Self.measure(article) != nil
    isCountable = isNumbered && description.plural != "none"
    plural =
      isCountable ? description.plural ?? EnglishPlural.plural(of: words) : words
  }

  /// The same class on a side of a split.
  package func placed(_ split: Split) -> VocabularyClass {
    var placed = self
    placed.split = split
    return placed
  }

  /// The words with their article.
  public var phrase: String { article.isEmpty ? words : "\(article) \(words)" }

  /// What it is counted in: "pair" of "a pair of scissors".
  var measure: String? { Self.measure(article) }

  /// The article where an adjective may stand between it and the words: "an old mug".
  func article(before adjective: String?) -> String {
    guard let adjective, ["a", "an"].contains(article) else { return article }
    return EnglishArticle.before(adjective)
  }

  private static func measure(_ article: String) -> String? {
    for start in ["a ", "an "] where article.hasPrefix(start) && article.hasSuffix(" of") {
      let measure = article.dropFirst(start.count).dropLast(3)
      return measure.isEmpty ? nil : String(measure)
    }
    return nil
  }
}
