/// How often classes are to be named in comparison with each other, from a file.
public struct ClassWeights: Sendable, Equatable {
  /// The largest weight.
  static let limit = 1_000_000
  /// Digits behind the point that are read.
  static let digits = 3

  private let file: String
  /// Weights in thousandths.
  private let weights: [String: Int]
  private let lines: [String: Int]

  /// Reads `weights:` of a YAML file, a name and a number each, or such pairs from a file of tab-separated lines (`.tsv`).
  ///
  /// - Throws: ``GenerationError`` with file and line, the first problem of the file.
  public init(file: String) throws {
    var problems = ProblemList()
    let weights = try Self(file: file, &problems)
    try problems.throwFirst()
    guard let weights else { preconditionFailure("\(file) has no problem and no weights") }
    self = weights
  }

  /// Reads a file and notes every problem; nil where it has any.
  init?(file: String, _ problems: inout ProblemList) throws {
    let pairs =
      try file.hasSuffix(".tsv") ? Self.table(file, &problems) : Self.yaml(file, &problems)
    var weights: [String: Int] = [:]
    var lines: [String: Int] = [:]
    for (name, written, line) in pairs {
      func fault(_ message: String) -> GenerationError {
        GenerationError(.malformed, "\(file):\(line)", message)
      }
      guard let weight = Self.thousandths(written) else {
        problems.note(
          fault(
            "the weight of \"\(name)\": found \(written), expected a number from 0 to \(Self.limit) with at most "
              + "\(Self.digits) digits behind the point"))
        continue
      }
      if lines.updateValue(line, forKey: name) != nil {
        problems.note(fault("the class \"\(name)\" stands twice"))
      }
      weights[name] = weight
    }
    if problems.isEmpty && weights.values.allSatisfy({ $0 == 0 }) {
      problems.note(GenerationError(.malformed, file, "no weight is above 0"))
    }
    guard problems.isEmpty else { return nil }
    self.file = file
    self.weights = weights
    self.lines = lines
  }

  /// The weight of a class, in thousandths.
  subscript(name: String) -> Int? { weights[name] }

  /// The names that a vocabulary does not have, and those that are missing for it.
  func check(against vocabulary: Vocabulary) -> ProblemList {
    var problems = ProblemList()
    let names = Set(vocabulary.classes.map(\.name))
    for (name, line) in lines.sorted(by: { $0.value < $1.value }) where !names.contains(name) {
      problems.note(
        GenerationError(
          .malformed, "\(file):\(line)",
          "the vocabulary \(vocabulary.name) has no class \"\(name)\""))
    }
    let missing = vocabulary.classes.map(\.name).filter { weights[$0] == nil }
    if !missing.isEmpty {
      let shown = missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? ", …" : "")
      problems.note(
        GenerationError(
          .malformed, file,
          "\(missing.count) class(es) of \(vocabulary.name) have no weight: \(shown); 0 is for never"
        ))
    }
    return problems
  }

  private typealias Pair = (name: String, written: String, line: Int)

  private static func yaml(_ file: String, _ problems: inout ProblemList) throws -> [Pair] {
    let root = try YAMLNode.read(file)
    let members = try problems.attempt {
      let members = try root.members("class weights", allowed: ["weights"])
      guard let weights = members.first?.value else {
        throw root.fault("the key \"weights\" is missing")
      }
      return try weights.members("weights")
    }
    var pairs: [Pair] = []
    for (name, value) in members ?? [] {
      if let written = try problems.attempt({ try value.text(name) }) {
        pairs.append((name, written, value.line))
      }
    }
    return pairs
  }

  private static func table(_ file: String, _ problems: inout ProblemList) throws -> [Pair] {
    var pairs: [Pair] = []
    for (line, text) in try FileAccess.lines(of: file) where !text.hasPrefix("#") {
      let fields = text.split(separator: "\t", omittingEmptySubsequences: false).map(trimmed)
      guard fields.count == 2 else {
        problems.note(
          GenerationError(
            .malformed, "\(file):\(line)",
            "found \(fields.count) field(s), expected a name and a weight with a tab between"))
        continue
      }
      pairs.append((fields[0], fields[1], line))
    }
    return pairs
  }

  /// A plain decimal number in thousandths, exactly.
  private static func thousandths(_ text: String) -> Int? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let isPlain = text.utf8.allSatisfy { 48...57 ~= $0 || $0 == 46 }
    guard isPlain, 1...2 ~= parts.count, let whole = Int(parts[0]), whole <= limit else {
      return nil
    }
    guard parts.count == 2 else { return 1000 * whole }
    guard 1...digits ~= parts[1].count,
      let rest = Int(parts[1] + String(repeating: "0", count: digits - parts[1].count))
    else { return nil }
    let value = 1000 * whole + rest
    return value <= 1000 * limit ? value : nil
  }
}
