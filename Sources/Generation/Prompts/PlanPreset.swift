/// A data set to plan: its vocabulary, its templates and its size.
public struct PlanPreset: Sendable, Equatable {
  /// A preset's name or a file.
  public let name: String
  /// The vocabulary's name.
  public let vocabulary: String
  /// The templates' name.
  public let templates: String
  /// Objects in a prompt.
  public let objects: ObjectCounts
  /// The number of samples.
  public let count: Int
  /// The split's name, where it has one.
  public let split: String?

  /// Reads a YAML file.
  ///
  /// - Throws: ``GenerationError`` with file and line, the first problem of the file.
  public init(file: String, name: String) throws {
    var problems = ProblemList()
    let preset = try Self(YAMLNode.read(file), name: name, &problems)
    try problems.throwFirst()
    guard let preset else { preconditionFailure("\(file) has no problem and no content") }
    self = preset
  }

  /// Reads a file's content and notes every problem; nil where it has any.
  init?(_ root: YAMLNode, name: String, _ problems: inout ProblemList) throws {
    let known = ["note", "vocabulary", "templates", "objects", "count", "split"]
    let members = try problems.attempt { try root.members("preset", allowed: known) } ?? []
    var texts: [String: String] = [:]
    var objects: ObjectCounts?
    var count: Int?
    for (key, value) in members {
      guard let text = try problems.attempt({ try value.text(key) }) else { continue }
      texts[key] = text
      switch key {
      case "objects":
        objects = try problems.attempt {
          do {
            return try ObjectCounts(parsing: text)
          } catch let error as GenerationError {
            throw value.fault("objects: \(error.message)")
          }
        }
      case "count":
        count = Int(text)
        if count.map({ 1...GenerationPlan.countLimit ~= $0 }) != true {
          problems.note(
            value.fault("count: found \(text), expected 1 to \(GenerationPlan.countLimit)"))
        }
      default: break
      }
    }
    for key in ["vocabulary", "templates", "objects", "count"]
    where problems.isEmpty && texts[key] == nil {
      problems.note(root.fault("the key \"\(key)\" is missing"))
    }
    guard problems.isEmpty, let objects, let count, let vocabulary = texts["vocabulary"],
      let templates = texts["templates"]
    else { return nil }
    self.name = name
    self.vocabulary = vocabulary
    self.templates = templates
    self.objects = objects
    self.count = count
    split = texts["split"]
  }
}
