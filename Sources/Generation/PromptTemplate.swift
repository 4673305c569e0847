/// A sentence with one slot for the objects and any number of slots of its file's own.
public struct PromptTemplate: Sendable, Equatable {
  private enum Part: Sendable, Equatable {
    case text(String)
    /// One object without an article, or with its article where the sentence says "a" before it.
    case object(withArticle: Bool, capital: Bool)
    /// All objects with their articles.
    case objects
    case slot(String)
  }

  /// The sentence as written.
  public let text: String
  /// How often it is drawn in comparison with the others.
  public let weight: Double
  private let parts: [Part]

  /// Whether it takes more than one object.
  public var takesManyObjects: Bool { parts.contains(.objects) }

  /// Parses a sentence.
  ///
  /// - Throws: ``GenerationError`` at `place` for a slot that is unknown or an object slot that is missing.
  init(_ text: String, weight: Double, slots: Set<String>, place: String) throws {
    func refuse(_ message: String) -> GenerationError {
      GenerationError(.malformed, place, "template \"\(text)\": \(message)")
    }
    var parts: [Part] = []
    var rest = Substring(text)
    var objectSlotCount = 0
    while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
      guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else {
        throw refuse("a brace has no partner")
      }
      var before = rest[..<open]
      let name = String(rest[rest.index(after: open)..<close])
      rest = rest[rest.index(after: close)...]
      let part: Part
      switch name {
      case "object":
        objectSlotCount += 1
        let (article, capital) = Self.removeArticle(&before)
        part = .object(withArticle: article, capital: capital)
      case "objects":
        objectSlotCount += 1
        part = .objects
      default:
        guard slots.contains(name) else {
          let known = (["object", "objects"] + slots.sorted()).joined(separator: ", ")
          throw refuse("unknown slot {\(name)}; known are \(known)")
        }
        part = .slot(name)
      }
      if !before.isEmpty { parts.append(.text(String(before))) }
      parts.append(part)
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    guard objectSlotCount == 1 else {
      throw refuse("found \(objectSlotCount) object slots, expected one {object} or one {objects}")
    }
    self.text = text
    self.weight = weight
    self.parts = parts
  }

  /// The sentence with its slots filled; `fill` gives the words of a slot of the file's own.
  ///
  /// - Precondition: one object, or a template that takes many.
  public func filled(with objects: [VocabularyClass], slot fill: (String) -> String) -> String {
    precondition(
      !objects.isEmpty && (objects.count == 1 || takesManyObjects),
      "\(objects.count) objects for the template \"\(text)\"")
    return parts.map { part in
      switch part {
      case .text(let text): return text
      case .object(let withArticle, let capital):
        let phrase = withArticle ? objects[0].phrase : objects[0].words
        return capital ? phrase.prefix(1).uppercased() + phrase.dropFirst() : phrase
      case .objects: return Self.joined(objects.map(\.phrase))
      case .slot(let name): return fill(name)
      }
    }.joined()
  }

  /// "a dog", "a dog and a cat", "a dog, a cat and a mug".
  private static func joined(_ phrases: [String]) -> String {
    guard phrases.count > 1 else { return phrases[0] }
    return phrases.dropLast().joined(separator: ", ") + " and " + phrases[phrases.count - 1]
  }

  /// Takes "a " or "an " off the end of a text, where it is a word of its own.
  private static func removeArticle(_ text: inout Substring) -> (found: Bool, capital: Bool) {
    for article in ["a ", "an ", "A ", "An "] where text.hasSuffix(article) {
      let before = text.dropLast(article.count)
      guard before.isEmpty || before.last?.isWhitespace == true else { continue }
      text = before
      return (true, article.hasPrefix("A"))
    }
    return (false, false)
  }
}
