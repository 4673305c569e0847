package import DatasetFormat

/// Which classes of a vocabulary count as seen in training and which as unseen.
public struct ClassSplit: Sendable, Equatable {
  /// A preset's name or a file.
  public let name: String
  /// The vocabulary it was made for, where the file says so.
  public let vocabulary: String?
  private let sides: [String: VocabularyClass.Split]
  private let places: [(name: String, place: String)]
  /// What classes are that the file does not name.
  private let others: VocabularyClass.Split

  /// Whether two splits put the same classes on the same sides.
  public static func == (a: ClassSplit, b: ClassSplit) -> Bool {
    a.sides == b.sides && a.others == b.others
  }

  /// Reads `seen:` and `unseen:` of a YAML file.
  ///
  /// With one of the two, all other classes are on the other side; with both, a class in neither is undecided.
  ///
  /// - Throws: ``GenerationError`` with file and line, the first problem of the file.
  public init(file: String, name: String) throws {
    var problems = ProblemList()
    let split = try Self(YAMLNode.read(file), name: name, &problems)
    try problems.throwFirst()
    guard let split else { preconditionFailure("\(file) has no problem and no classes") }
    self = split
  }

  /// Reads a file's content and notes every problem; nil where it has any.
  init?(_ root: YAMLNode, name: String, _ problems: inout ProblemList) throws {
    let known = ["vocabulary", "note", "seen", "unseen"]
    let members = try problems.attempt { try root.members("split", allowed: known) } ?? []
    var sides: [String: VocabularyClass.Split] = [:]
    var places: [(String, String)] = []
    var vocabulary: String?
    var given: Set<String> = []
    for (key, value) in members {
      switch key {
      case "note": _ = try problems.attempt { try value.text(key) }
      case "vocabulary": vocabulary = try problems.attempt { try value.text(key) }
      default:
        given.insert(key)
        for node in try problems.attempt({ try value.list(key) }) ?? [] {
          guard let one = try problems.attempt({ try node.text("class") }) else { continue }
          if sides.updateValue(key == "seen" ? .seen : .unseen, forKey: one) != nil {
            problems.note(node.fault("the class \"\(one)\" stands twice"))
          }
          places.append((one, "\(node.file):\(node.line)"))
        }
      }
    }
    if given.isEmpty && problems.isEmpty {
      problems.note(root.fault("expected the key \"seen\", \"unseen\" or both"))
    }
    guard problems.isEmpty else { return nil }
    self.name = name
    self.vocabulary = vocabulary
    self.sides = sides
    self.places = places
    others = given == ["seen"] ? .unseen : given == ["unseen"] ? .seen : .undecided
  }

  /// The side of a class.
  func side(of name: String) -> VocabularyClass.Split { sides[name] ?? others }

  /// The classes of a table, marked as seen or unseen.
  ///
  /// - Throws: ``GenerationError`` with file and line where it names a class that is not there.
  package func marked(_ entries: [ClassTable.Entry], of owner: String) throws -> [ClassTable.Entry]
  {
    try check(against: Set(entries.map(\.name)), of: owner).throwFirst()
    return entries.map { entry in
      var entry = entry
      entry.split = side(of: entry.name).inTables
      return entry
    }
  }

  /// The classes it names that a vocabulary does not have.
  func check(against vocabulary: Vocabulary) -> ProblemList {
    check(against: Set(vocabulary.classes.map(\.name)), of: "vocabulary \(vocabulary.name)")
  }

  /// The classes it names that others of a name do not have.
  private func check(against names: Set<String>, of owner: String) -> ProblemList {
    var problems = ProblemList()
    let origin = self.vocabulary.map { "; the split was made for \($0)" } ?? ""
    for (name, place) in places where !names.contains(name) {
      problems.note(
        GenerationError(
          .malformed, place, "the \(owner) has no class \"\(name)\"\(origin)"))
    }
    return problems
  }
}
