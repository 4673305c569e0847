/// The prompt templates of one file, with their weights and slots.
public struct TemplateSet: Sendable, Equatable {
  /// A preset's name or a file.
  public let name: String
  /// The templates in the order of the file.
  public let templates: [PromptTemplate]
  /// The words each slot of the file's own may take.
  public let slots: [String: [String]]

  /// Reads `templates:` and `slots:` of a YAML file.
  ///
  /// - Throws: ``GenerationError`` with file and line.
  public init(file: String, name: String) throws {
    let root = try YAMLNode.read(file)
    let members = try root.members("prompt templates", allowed: ["templates", "slots"])
    var slots: [String: [String]] = [:]
    if let node = members.first(where: { $0.key == "slots" })?.value {
      for (key, words) in try node.members("slots") {
        guard key != "object", key != "objects" else {
          throw words.fault("the slot name \(key) is taken; choose another")
        }
        slots[key] = try words.list(key).map { try $0.text(key) }
      }
    }
    guard let list = members.first(where: { $0.key == "templates" })?.value else {
      throw root.fault("the key \"templates\" is missing")
    }
    templates = try list.list("templates").map { try Self.template($0, slots: Set(slots.keys)) }
    self.slots = slots
    self.name = name
  }

  private static func template(_ node: YAMLNode, slots: Set<String>) throws -> PromptTemplate {
    let place = "\(node.file):\(node.line)"
    if case .scalar = node.content {
      return try PromptTemplate(node.text("template"), weight: 1, slots: slots, place: place)
    }
    var text: String?
    var weight = 1.0
    for (key, value) in try node.members("template", allowed: ["text", "weight"]) {
      switch key {
      case "text": text = try value.text(key)
      default:
        let written = try value.text(key)
        guard let number = Double(written), number > 0, number <= 1e6 else {
          throw value.fault("weight: found \(written), expected a number above 0, at most 1000000")
        }
        weight = number
      }
    }
    guard let text else { throw node.fault("the key \"text\" is missing") }
    return try PromptTemplate(text, weight: weight, slots: slots, place: place)
  }

  /// A prompt for `objects`, its template drawn by weight and its slots by the sample's number.
  func prompt(_ objects: [VocabularyClass], run: UInt64, index: Int) -> String {
    var stream = ChoiceStream(run: run, purpose: .template, number: index)
    var left = stream.nextFraction() * templates.reduce(0) { $0 + $1.weight }
    var chosen = templates[templates.count - 1]
    for template in templates {
      left -= template.weight
      if left < 0 {
        chosen = template
        break
      }
    }
    var slotStream = ChoiceStream(run: run, purpose: .slot, number: index)
    return chosen.filled(with: objects) { name in
      guard let words = slots[name] else {
        preconditionFailure("the slot \(name) was checked when the file was read")
      }
      return words[slotStream.next(below: words.count)]
    }
  }
}
