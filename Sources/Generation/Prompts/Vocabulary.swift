/// A list of classes to make pictures of; ids follow the order, from 1.
public struct Vocabulary: Sendable, Equatable {
  /// The most classes a list may have.
  public static let sizeLimit = 65_534

  /// Where the list comes from: a preset's name, a file, or "list".
  public let name: String
  /// The classes in order.
  public private(set) var classes: [VocabularyClass]
  /// How often each class is to be named in comparison with the others; 0 for never.
  public private(set) var weights: [Int]

  /// The classes with their ids.
  package var numbered: [(id: Int, named: VocabularyClass)] {
    classes.enumerated().map { ($0 + 1, $1) }
  }

  /// Reads `classes:` of a YAML file, or one name a line of a text file (`.txt`).
  ///
  /// - Throws: ``GenerationError`` with file and line, the first problem of the file.
  public init(file: String, name: String) throws {
    var problems = ProblemList()
    let vocabulary = try Self(file: file, name: name, &problems)
    try problems.throwFirst()
    guard let vocabulary else { preconditionFailure("\(file) has no problem and no classes") }
    self = vocabulary
  }

  /// Reads a file and notes every problem; nil where it has any.
  init?(file: String, name: String, _ problems: inout ProblemList) throws {
    let entries =
      file.hasSuffix(".txt")
      ? try Self.lines(of: file, &problems)
      : try Self.entries(YAMLNode.read(file), &problems)
    if problems.isEmpty { Self.check(entries, name: name, &problems) }
    guard problems.isEmpty else { return nil }
    self.init(name: name, entries)
  }

  /// Reads a list such as "dog, cat, mug".
  ///
  /// - Throws: ``GenerationError`` where it is empty, or a name stands twice or is unusable.
  public init(list: String) throws {
    let names = list.split(separator: ",").map(trimmed).filter { !$0.isEmpty }
    let place = "--vocabulary"
    let entries = try names.map {
      (named: try VocabularyClass(name: $0, place: place), place: place)
    }
    var problems = ProblemList()
    Self.check(entries, name: "list", &problems)
    try problems.throwFirst()
    self.init(name: "list", entries)
  }

  private typealias Entry = (named: VocabularyClass, place: String)

  private init(name: String, _ entries: [Entry]) {
    self.name = name
    classes = entries.map(\.named)
    weights = [Int](repeating: 1, count: entries.count)
  }

  private static func entries(
    _ root: YAMLNode, _ problems: inout ProblemList
  ) throws -> [Entry] {
    let list = try problems.attempt {
      let members = try root.members("vocabulary", allowed: ["classes"])
      guard let list = members.first?.value else {
        throw root.fault("the key \"classes\" is missing")
      }
      return try list.list("classes")
    }
    var entries: [Entry] = []
    for node in list ?? [] {
      guard let named = try problems.attempt({ try VocabularyClass(node) }) else { continue }
      entries.append((named, "\(node.file):\(node.line)"))
    }
    return entries
  }

  private static func lines(of file: String, _ problems: inout ProblemList) throws -> [Entry] {
    var entries: [Entry] = []
    for (line, text) in try FileAccess.lines(of: file) where !text.hasPrefix("#") {
      let place = "\(file):\(line)"
      guard let named = try problems.attempt({ try VocabularyClass(name: text, place: place) })
      else { continue }
      entries.append((named, place))
    }
    return entries
  }

  private static func check(_ entries: [Entry], name: String, _ problems: inout ProblemList) {
    guard !entries.isEmpty else {
      return problems.note(GenerationError(.malformed, name, "names no class"))
    }
    guard entries.count <= sizeLimit else {
      return problems.note(
        GenerationError(
          .malformed, name, "has \(entries.count) classes; at most \(sizeLimit) can be used"))
    }
    var names = Set<String>()
    for (named, place) in entries where !names.insert(named.name).inserted {
      problems.note(
        GenerationError(.malformed, place, "the class \"\(named.name)\" stands twice"))
    }
    var owners: [String: String] = [:]
    for (named, place) in entries {
      for alias in named.aliases where alias != named.name {
        let other = names.contains(alias) ? alias : owners[alias]
        if let other, other != named.name {
          problems.note(
            GenerationError(
              .malformed, place,
              "the alias \"\(alias)\" of \"\(named.name)\" is also a name of \"\(other)\"; remove one"
            ))
        }
        owners[alias] = named.name
      }
    }
  }

  /// The vocabulary with its classes marked as seen or unseen.
  ///
  /// - Throws: ``GenerationError`` with file and line where the split names a class that is not there.
  public func splitting(by split: ClassSplit) throws -> Vocabulary {
    var vocabulary = self
    try split.check(against: self).throwFirst()
    for position in classes.indices {
      vocabulary.classes[position].split = split.side(of: classes[position].name)
    }
    return vocabulary
  }

  /// The vocabulary with weights from a file.
  ///
  /// - Throws: ``GenerationError`` with file and line where names are unknown or missing.
  public func weighted(by weights: ClassWeights) throws -> Vocabulary {
    var vocabulary = self
    try weights.check(against: self).throwFirst()
    vocabulary.weights = classes.map { weights[$0.name] ?? 0 }
    return vocabulary
  }

  /// The vocabulary with the same ids, of which prompts name only one side of the split.
  ///
  /// - Throws: ``GenerationError`` where no class is on that side.
  public func naming(only side: VocabularyClass.Split) throws -> Vocabulary {
    var vocabulary = self
    vocabulary.weights = zip(classes, weights).map { $0.split == side ? $1 : 0 }
    guard vocabulary.weights.contains(where: { $0 > 0 }) else {
      throw GenerationError(
        .usage, "--only",
        "no class of \(name) is marked \(side.rawValue); give a --split that marks some")
    }
    return vocabulary
  }
}
