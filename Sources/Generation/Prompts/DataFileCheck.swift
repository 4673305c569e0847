/// Looks for all that is wrong with a file of data that people write.
public struct DataFileCheck {
  private let library: TemplateLibrary
  private let vocabulary: Vocabulary?

  /// Prepares a check.
  ///
  /// - Parameters:
  ///   - library: where the vocabularies that files name are looked up.
  ///   - vocabulary: what the classes of splits and weights are compared with; nil for what the file itself names.
  public init(library: TemplateLibrary, vocabulary: Vocabulary?) {
    self.library = library
    self.vocabulary = vocabulary
  }

  /// The problems of a file, in its order: templates, a vocabulary (also `.txt`), a split, class weights (also `.tsv`),
  /// a preset or a plan (`.jsonl`, its first problem only).
  ///
  /// - Throws: ``GenerationError`` where the file is not there or cannot be read.
  public func problems(of file: String) throws -> [GenerationError] {
    var problems = ProblemList()
    do {
      try check(file, &problems)
    } catch let error as GenerationError where error.code == .malformed || error.code == .usage {
      problems.note(error)
    }
    func line(_ problem: GenerationError) -> Int {
      problem.place.split(separator: ":").last.flatMap { Int($0) } ?? 0
    }
    let numbered = problems.problems.enumerated()
    return numbered.sorted { (line($0.element), $0.offset) < (line($1.element), $1.offset) }
      .map(\.element)
  }

  private func check(_ file: String, _ problems: inout ProblemList) throws {
    if file.hasSuffix(".jsonl") {
      _ = try problems.attempt { try PlanFile(path: file, vocabulary: vocabulary) }
      return
    }
    if file.hasSuffix(".txt") {
      _ = try Vocabulary(file: file, name: file, &problems)
      return
    }
    if file.hasSuffix(".tsv") { return try checkWeights(file, &problems) }
    let root = try YAMLNode.read(file)
    let keys = Set(try root.members("file").map(\.key))
    if keys.contains("classes") {
      _ = try Vocabulary(file: file, name: file, &problems)
    } else if keys.contains("weights") {
      try checkWeights(file, &problems)
    } else if keys.contains("templates"), !keys.contains("vocabulary") {
      _ = try TemplateSet(root, name: file, &problems)
    } else if keys.contains("seen") || keys.contains("unseen") {
      try checkSplit(root, &problems)
    } else if keys.contains("count") || keys.contains("objects") {
      try checkPreset(root, &problems)
    } else {
      problems.note(
        root.fault(
          "expected the keys of templates (templates), a vocabulary (classes), a split (seen, unseen), class weights "
            + "(weights) or a preset (vocabulary, templates, objects, count)"))
    }
  }

  private func checkWeights(_ file: String, _ problems: inout ProblemList) throws {
    guard let weights = try ClassWeights(file: file, &problems), let vocabulary else { return }
    problems.add(weights.check(against: vocabulary))
  }

  private func checkSplit(_ root: YAMLNode, _ problems: inout ProblemList) throws {
    guard let split = try ClassSplit(root, name: root.file, &problems) else { return }
    guard let other = try vocabulary ?? split.vocabulary.map(library.vocabulary) else { return }
    problems.add(split.check(against: other))
  }

  private func checkPreset(_ root: YAMLNode, _ problems: inout ProblemList) throws {
    guard let preset = try PlanPreset(root, name: root.file, &problems) else { return }
    // What a preset names must be there.
    _ = try library.vocabulary(preset.vocabulary)
    _ = try library.templates(preset.templates)
    _ = try preset.split.map(library.split)
  }
}
