package import CanonicalJSON
package import DatasetFormat

extension PromptSource {
  /// What decides the prompts, written out so that the run can be made again without the files; a plan that was
  /// written down, by its hash.
  var json: JSONValue {
    switch self {
    case .prompts(let prompts): return ["prompts": .array(prompts.map { .string($0) })]
    case .plan(let plan): return ["plan_sha256": .string(plan.sha256)]
    case .vocabulary(let vocabulary, let set, let objects):
      var members: [JSONValue.Member] = [
        .init("classes", .array(vocabulary.classes.map(\.json))),
        .init(
          "templates",
          .array(
            set.templates.map { template -> JSONValue in
              ["text": .string(template.text), "weight": .number(template.weight)]
            })),
        .init(
          "slots",
          .object(
            set.slots.sorted { $0.key < $1.key }.map { .init($0.key, $0.value.json) })),
        .init("objects", objects.json),
      ]
      if let counts = set.counts { members.append(.init("counts", counts.json)) }
      if let adjectives = set.adjectives { members.append(.init("adjectives", adjectives.json)) }
      if vocabulary.weights.contains(where: { $0 != 1 }) {
        let weights = vocabulary.weights.map { JSONValue.integer(Int64($0)) }
        members.append(.init("class_weights", .array(weights)))
      }
      return .object(members)
    }
  }

  /// What a run's folder is called after.
  var subject: String {
    switch self {
    case .prompts(let prompts): prompts.first ?? ""
    case .vocabulary(let vocabulary, _, _):
      vocabulary.name.split(separator: "/").last.map(String.init) ?? ""
    case .plan(let plan): plan.path.split(separator: "/").last.map(String.init) ?? ""
    }
  }

  /// The classes as a run's table has them.
  var entries: [ClassTable.Entry] {
    classes.map { id, named in named.entry(id: id) }
  }
}

extension VocabularyClass {
  /// The class as a run's table has it.
  package func entry(id: Int) -> ClassTable.Entry {
    ClassTable.Entry(id: id, name: name, aliases: aliases, split: split.inTables)
  }

  /// The class that a table's entry is.
  ///
  /// - Parameters:
  ///   - entry: the entry.
  ///   - other: a class of the same name that says how it is said.
  ///   - place: where the table stands, for messages.
  /// - Throws: ``GenerationError`` at `place` where the name is unusable.
  package init(
    _ entry: ClassTable.Entry, said other: VocabularyClass? = nil, place: String
  ) throws {
    let split: Split =
      switch entry.split {
      case .seen: .seen
      case .unseen: .unseen
      case .none: .undecided
      }
    let description = Description(name: entry.name, aliases: entry.aliases, split: split)
    try self.init(description.said(as: other), place: place)
  }

  package var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("name", .string(name)), .init("words", .string(words)),
      .init("article", .string(article)),
    ]
    if plural != words { members.append(.init("plural", .string(plural))) }
    return .object(members)
  }
}

extension WeightedWords {
  fileprivate var json: JSONValue {
    let isEven = entries.allSatisfy { $0.weight == 1 }
    return .array(
      entries.map { entry in
        isEven
          ? .string(entry.text)
          : ["text": .string(entry.text), "weight": .number(entry.weight)]
      })
  }
}

extension ObjectCounts {
  package var json: JSONValue {
    .object(
      weights.enumerated().filter { $0.element > 0 }.map {
        .init(String($0.offset + 1), .integer(Int64($0.element)))
      })
  }
}

extension VocabularyClass.Split {
  /// The side as tables of classes have it.
  var inTables: ClassTable.Split {
    switch self {
    case .seen: .seen
    case .unseen: .unseen
    case .undecided: .none
    }
  }
}
