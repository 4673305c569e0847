/// A sentence with one slot for the objects and any number of slots of its file's own.
public struct PromptTemplate: Sendable, Equatable {
  /// What a slot for one object says around it.
  private struct ObjectForm: Sendable, Equatable {
    var hasArticle = false
    var isCapital = false
    var takesCount = false
    var takesAdjective = false
  }

  private enum Part: Sendable, Equatable {
    case text(String)
    /// "a" or "an" before a slot, by what the slot turns out to say.
    case article(capital: Bool)
    case object(ObjectForm)
    /// All objects with their articles, counts and adjectives.
    case objects
    case slot(String)
  }

  /// Slots with a meaning of their own.
  static let reservedSlots = ["object", "objects", "adjective", "count"]

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
    // {count} and {adjective} that wait for their {object}.
    var form: ObjectForm?
    while let slot = try Self.nextSlot(of: &rest, known: slots, refuse) {
      var before = slot.before
      let name = slot.name
      let isForm = ["object", "adjective", "count"].contains(name)
      if form != nil {
        guard isForm, before == " ", name != "count" else {
          throw refuse("{count} and {adjective} stand right before {object}, in this order")
        }
        before = ""
      } else if name != "objects" {
        let (article, capital) = Self.removeArticle(&before)
        if !before.isEmpty { parts.append(.text(String(before))) }
        before = ""
        if isForm {
          form = ObjectForm(hasArticle: article, isCapital: capital)
        } else if article {
          parts.append(.article(capital: capital))
        }
      }
      if !before.isEmpty { parts.append(.text(String(before))) }
      switch name {
      case "count": form?.takesCount = true
      case "adjective":
        guard form?.takesAdjective == false else { throw refuse("{adjective} stands twice") }
        form?.takesAdjective = true
      case "object":
        objectSlotCount += 1
        parts.append(.object(form ?? ObjectForm()))
        form = nil
      case "objects":
        objectSlotCount += 1
        parts.append(.objects)
      default: parts.append(.slot(name))
      }
    }
    guard form == nil else { throw refuse("{count} and {adjective} stand right before {object}") }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    guard objectSlotCount == 1 else {
      throw refuse("found \(objectSlotCount) object slots, expected one {object} or one {objects}")
    }
    self.text = text
    self.weight = weight
    self.parts = parts
  }

  /// Takes the text up to the next slot off a sentence, and the slot's name; nil where there is no other.
  private static func nextSlot(
    of rest: inout Substring, known slots: Set<String>, _ refuse: (String) -> GenerationError
  ) throws -> (before: Substring, name: String)? {
    guard let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) else { return nil }
    guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else {
      throw refuse("a brace has no partner")
    }
    let before = rest[..<open]
    let name = String(rest[rest.index(after: open)..<close])
    rest = rest[rest.index(after: close)...]
    guard slots.contains(name) || reservedSlots.contains(name) else {
      let known = (reservedSlots + slots.sorted()).joined(separator: ", ")
      throw refuse("unknown slot {\(name)}; known are \(known)")
    }
    return (before, name)
  }

  /// The sentence with its slots filled; `fill` gives the words of a slot of the file's own.
  ///
  /// - Precondition: one object, or a template that takes many.
  public func filled(with objects: [VocabularyClass], slot fill: (String) -> String) -> String {
    filled(
      with: objects.enumerated().map { PromptText.Object(position: $0, named: $1) }, slot: fill
    ).text
  }

  /// The sentence with its slots filled, and where it names the objects.
  ///
  /// `{objects}` says every object's count and adjective; `{object}` only what the sentence asks for.
  func filled(with objects: [PromptText.Object], slot fill: (String) -> String) -> PromptText {
    precondition(
      !objects.isEmpty && (objects.count == 1 || takesManyObjects),
      "\(objects.count) objects for the template \"\(text)\"")
    var prompt = PromptText()
    for part in parts {
      switch part {
      case .text(let text): prompt.append(text)
      case .article(let capital): prompt.expectArticle(capital: capital)
      case .object(let form):
        var object = objects[0]
        if !form.takesCount { object.count = 1 }
        if !form.takesAdjective { object.adjective = nil }
        prompt.append(
          object, withArticle: form.hasArticle || form.takesCount, capital: form.isCapital)
      case .objects: prompt.append(objects)
      case .slot(let name): prompt.append(fill(name))
      }
    }
    return prompt
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
