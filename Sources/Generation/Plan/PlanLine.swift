import CanonicalJSON

/// A sample as a line of a plan's file.
enum PlanLine {
  /// The longest line read, in bytes.
  static let lengthLimit = 1 << 20
  /// The most classes that a line may name.
  static let entityLimit = 64

  /// The line of a sample, without its end.
  static func text(
    _ sample: GenerationPlan.Sample, seed: UInt64, classes: (Int) -> VocabularyClass
  ) -> String {
    let entities = sample.mentions.map { mention -> JSONValue in
      [
        "name": .string(classes(mention.classPosition).name),
        "class_id": .integer(Int64(mention.classPosition + 1)), "words": .string(mention.words),
        "count": .integer(Int64(mention.count)),
        "range": [
          .integer(Int64(mention.range.lowerBound)), .integer(Int64(mention.range.upperBound)),
        ],
      ]
    }
    let value: JSONValue = [
      "index": .integer(Int64(sample.index)), "seed": .string(String(seed)),
      "prompt": .string(sample.prompt), "entities": .array(entities),
      "template": .string(sample.template),
    ]
    return value.text
  }

  /// What a line says.
  struct Content {
    var sample: GenerationPlan.Sample
    var seed: UInt64
    /// The classes' names, one a mention.
    var names: [String]
  }

  /// Reads a line.
  ///
  /// - Throws: ``GenerationError`` at `place`.
  static func read(_ line: ArraySlice<UInt8>, index: Int, place: String) throws -> Content {
    let reader = Reader(place: place)
    guard line.count <= lengthLimit else {
      throw reader.fault("has \(line.count) bytes, at most \(lengthLimit) are read")
    }
    let value: JSONValue
    do {
      value = try JSONValue.parse(Array(line))
    } catch {
      throw reader.fault("not JSON: \(error)")
    }
    let known = ["index", "seed", "prompt", "entities", "template"]
    try reader.check(value, known: known, "a sample")
    let found = try reader.integer(value, "index")
    guard found == index else {
      throw reader.fault("index: found \(found), expected \(index): samples are numbered from 0")
    }
    let written = try reader.text(value, "seed")
    guard let seed = UInt64(written), String(seed) == written else {
      throw reader.fault("seed: found \"\(written)\", expected a whole number below 2^64 as text")
    }
    let prompt = try reader.text(value, "prompt")
    guard let entities = value["entities"]?.elements, entities.count <= entityLimit else {
      throw reader.fault("entities: expected an array of at most \(entityLimit)")
    }
    var names: [String] = []
    var mentions: [GenerationPlan.Mention] = []
    for entity in entities {
      let (name, mention) = try reader.entity(entity, prompt: Array(prompt.utf8))
      guard !mentions.contains(where: { $0.classPosition == mention.classPosition }) else {
        throw reader.fault("entities: \"\(name)\" stands twice")
      }
      names.append(name)
      mentions.append(mention)
    }
    let sample = GenerationPlan.Sample(
      index: index, prompt: prompt, mentions: mentions, template: try reader.text(value, "template")
    )
    return Content(sample: sample, seed: seed, names: names)
  }

  /// Takes fields of a line and says what is wrong with them.
  private struct Reader {
    let place: String

    func fault(_ message: String) -> GenerationError {
      GenerationError(.malformed, place, message)
    }

    func check(_ value: JSONValue, known: [String], _ what: String) throws {
      guard let members = value.members else {
        throw fault("found \(value.kind), expected \(what) as an object")
      }
      for member in members where !known.contains(member.name) {
        throw fault(
          "unknown key \"\(member.name)\"; \(what) has \(known.joined(separator: ", "))")
      }
    }

    func text(_ value: JSONValue, _ key: String) throws -> String {
      guard let text = value[key]?.string else { throw fault("\(key): expected text") }
      return text
    }

    func integer(_ value: JSONValue, _ key: String) throws -> Int {
      guard let number = value[key]?.integer else {
        throw fault("\(key): expected a whole number")
      }
      return number
    }

    func entity(
      _ value: JSONValue, prompt: [UInt8]
    ) throws -> (name: String, mention: GenerationPlan.Mention) {
      try check(value, known: ["name", "class_id", "words", "count", "range"], "an entity")
      let name = try text(value, "name")
      guard !name.isEmpty, name.utf8.count <= 200,
        name.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 && $0 != "," })
      else { throw fault("name: expected 1 to 200 bytes without commas and control characters") }
      let id = try integer(value, "class_id")
      guard 1...Vocabulary.sizeLimit ~= id else {
        throw fault("class_id: found \(id), expected 1 to \(Vocabulary.sizeLimit)")
      }
      let count = try integer(value, "count")
      guard 1...TemplateSet.countLimit ~= count else {
        throw fault("count: found \(count), expected 1 to \(TemplateSet.countLimit)")
      }
      let words = try text(value, "words")
      let ends = value["range"]?.elements?.compactMap(\.integer) ?? []
      guard ends.count == 2, 0 <= ends[0], ends[0] < ends[1], ends[1] <= prompt.count,
        prompt[ends[0]..<ends[1]].elementsEqual(words.utf8)
      else {
        throw fault("range: expected first and end byte of the words \"\(words)\" in the prompt")
      }
      return (
        name,
        GenerationPlan.Mention(
          classPosition: id - 1, words: words, count: count, range: ends[0]..<ends[1])
      )
    }
  }
}
