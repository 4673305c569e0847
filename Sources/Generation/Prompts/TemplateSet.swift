/// The prompt templates of one file, with their weights and slots.
public struct TemplateSet: Sendable, Equatable {
  /// The most of one object that a prompt asks for.
  public static let countLimit = 10
  /// How a list of adjectives says "no adjective".
  static let noAdjective = "none"

  /// A preset's name or a file.
  public let name: String
  /// The templates in the order of the file.
  public let templates: [PromptTemplate]
  /// The words each slot of the file's own may take.
  public let slots: [String: WeightedWords]
  /// How many of an object a prompt asks for; nil for one.
  public let counts: WeightedWords?
  /// What stands before an object; nil for nothing.
  public let adjectives: WeightedWords?

  /// Reads a YAML file: `templates:`, and `slots:`, `counts:` and `adjectives:` where it has them.
  ///
  /// - Throws: ``GenerationError`` with file and line, the first problem of the file.
  public init(file: String, name: String) throws {
    var problems = ProblemList()
    let set = try Self(try YAMLNode.read(file), name: name, &problems)
    try problems.throwFirst()
    guard let set else { preconditionFailure("\(file) has no problem and no templates") }
    self = set
  }

  /// Reads a file's content and notes every problem; nil where it has any.
  init?(_ root: YAMLNode, name: String, _ problems: inout ProblemList) throws {
    let known = ["templates", "slots", "counts", "adjectives"]
    guard
      let members = try problems.attempt({ try root.members("prompt templates", allowed: known) })
    else { return nil }
    func member(_ key: String) -> YAMLNode? { members.first { $0.key == key }?.value }
    let slots = try member("slots").map { try Self.slots($0, &problems) } ?? [:]
    counts = try member("counts").flatMap { try Self.counts($0, &problems) }
    adjectives = try member("adjectives").flatMap { try Self.words($0, "adjectives", &problems) }
    self.slots = slots
    self.name = name
    guard let list = member("templates") else {
      problems.note(root.fault("the key \"templates\" is missing"))
      return nil
    }
    var templates: [PromptTemplate] = []
    for node in try problems.attempt({ try list.list("templates") }) ?? [] {
      let template = try problems.attempt {
        let entry = try WeightedWords.entry(node, "template")
        return try PromptTemplate(
          entry.text, weight: entry.weight, slots: Set(slots.keys),
          place: "\(node.file):\(node.line)")
      }
      if let template { templates.append(template) }
    }
    self.templates = templates
    guard problems.isEmpty else { return nil }
  }

  private static func slots(
    _ node: YAMLNode, _ problems: inout ProblemList
  ) throws -> [String: WeightedWords] {
    var slots: [String: WeightedWords] = [:]
    let members = try problems.attempt { try node.members("slots") }
    for (key, list) in members ?? [] {
      guard !PromptTemplate.reservedSlots.contains(key) else {
        problems.note(list.fault("the slot name \(key) is taken; choose another"))
        continue
      }
      slots[key] = try words(list, key, &problems)
    }
    return slots
  }

  private static func words(
    _ node: YAMLNode, _ label: String, _ problems: inout ProblemList
  ) throws -> WeightedWords? {
    let nodes = try problems.attempt { try node.list(label) } ?? []
    let entries = try nodes.compactMap { node in
      try problems.attempt { try WeightedWords.entry(node, label) }
    }
    return entries.isEmpty ? nil : WeightedWords(entries)
  }

  private static func counts(
    _ node: YAMLNode, _ problems: inout ProblemList
  ) throws -> WeightedWords? {
    guard let words = try words(node, "counts", &problems) else { return nil }
    for word in words.words {
      guard let number = Int(word), 1...countLimit ~= number else {
        problems.note(
          node.fault("counts: found \(word), expected whole numbers from 1 to \(countLimit)"))
        return nil
      }
    }
    return words
  }

  /// A prompt for classes, its template drawn by weight and its slots by the sample's number.
  func prompt(
    _ positions: [Int], of classes: [VocabularyClass], run: UInt64, index: Int
  ) -> (template: PromptTemplate, text: PromptText) {
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
    var countStream = ChoiceStream(run: run, purpose: .instanceCount, number: index)
    var adjectiveStream = ChoiceStream(run: run, purpose: .adjective, number: index)
    let objects = positions.map { position in
      var object = PromptText.Object(position: position, named: classes[position])
      if let count = counts?.draw(&countStream) { object.count = Int(count) ?? 1 }
      if let adjective = adjectives?.draw(&adjectiveStream), adjective != Self.noAdjective {
        object.adjective = adjective
      }
      return object
    }
    var slotStream = ChoiceStream(run: run, purpose: .slot, number: index)
    let text = chosen.filled(with: objects) { name in
      guard let words = slots[name] else {
        preconditionFailure("the slot \(name) was checked when the file was read")
      }
      return words.draw(&slotStream)
    }
    return (chosen, text)
  }
}
