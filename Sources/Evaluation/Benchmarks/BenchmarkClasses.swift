import CanonicalJSON
public import DatasetFormat
import Generation

/// Lists of classes, as their users and published code write them.
public enum BenchmarkClasses {
  private static let sizeLimit = 1 << 20

  /// Reads a class file: a table (`.tsv`), a JSON list of names (`.json`, `, ` between synonyms), or a vocabulary.
  ///
  /// - Parameters:
  ///   - name: the file, or a vocabulary's name or comma list.
  ///   - split: a split that marks the classes of a vocabulary; nil for what the file says itself.
  /// - Throws: `GenerationError` or `DatasetError` where it cannot be read.
  public static func table(_ name: String, split: String? = nil) throws -> ClassTable {
    if name.hasSuffix(".tsv") {
      return try ClassTable(
        tsv: FileAccess.bytes(of: name, limit: sizeLimit), path: name, colours: .optional)
    }
    if name.hasSuffix(".json") { return try list(name) }
    let library = try TemplateLibrary()
    let vocabulary = try library.vocabulary(name)
    let divided = try split.map { try vocabulary.splitting(by: library.split($0)) } ?? vocabulary
    return try ClassTable(divided.numbered.map { $0.named.entry(id: $0.id) }, path: name)
  }

  /// The classes of a protocol: those of a file, the published ones, those that the data set names, else numbers.
  ///
  /// - Throws: `GenerationError` or `DatasetError` where they cannot be read, or are more or fewer than the protocol has.
  static func table(
    of benchmark: BenchmarkProtocol, file: String?, labels: String? = nil
  ) throws -> ClassTable {
    let count = benchmark.classCount ?? 0
    let table: ClassTable
    if let file {
      table = try self.table(file)
    } else if let vocabulary = benchmark.vocabulary {
      // Published figures are of the bare names.
      table = try ClassTable(
        self.table(vocabulary).entries.map { ClassTable.Entry(id: $0.id, name: $0.name) },
        path: vocabulary)
    } else if let labels, FileAccess.isFile(labels) {
      table = try numberedLines(labels)
    } else {
      return try numbers(1...count)
    }
    guard table.entries.map(\.id) == Array(1...count) else {
      throw GenerationError(
        .malformed, file ?? labels ?? benchmark.rawValue,
        "names \(table.entries.count) classes, \(benchmark.rawValue) has \(count), numbered from 1")
    }
    return table
  }

  /// Classes that are known by their numbers alone.
  public static func numbers(_ ids: ClosedRange<Int>) throws -> ClassTable {
    try ClassTable(ids.map { ClassTable.Entry(id: $0, name: String($0)) })
  }

  private static func list(_ file: String) throws -> ClassTable {
    let json: JSONValue
    do {
      json = try JSONValue.parse(FileAccess.bytes(of: file, limit: sizeLimit))
    } catch let error as JSONError {
      throw GenerationError(.malformed, file, "is not valid JSON: \(error)")
    }
    guard let names = json.elements?.map(\.string), names.allSatisfy({ $0 != nil }),
      1...ClassTable.idRange.upperBound ~= names.count
    else { throw GenerationError(.malformed, file, "is no JSON list of names of classes") }
    return try table(of: names.compactMap { $0 }, path: file)
  }

  /// Classes of which each is a name with synonyms behind commas; where two begin alike, all of the text is the name.
  private static func table(of texts: [String], path: String) throws -> ClassTable {
    let words = texts.map { text in
      text.split(separator: ",").map { word in
        String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }.filter { !$0.isEmpty }
    }
    let firsts = Dictionary(words.map { ($0.first ?? "", 1) }, uniquingKeysWith: +)
    return try ClassTable(
      zip(texts, words).enumerated().map { place, one in
        let isShared = firsts[one.1.first ?? ""] ?? 0 > 1
        return ClassTable.Entry(
          id: place + 1, name: isShared ? one.1.joined(separator: ", ") : one.1.first ?? "",
          aliases: Array(one.1.dropFirst()))
      }, path: path)
  }

  /// Reads lines such as `12: name`, as PASCAL Context lists its classes.
  private static func numberedLines(_ file: String) throws -> ClassTable {
    let text = String(
      decoding: try FileAccess.bytes(of: file, limit: sizeLimit), as: UTF8.self)
    let entries = try text.split(whereSeparator: \.isNewline).compactMap {
      line -> ClassTable.Entry? in
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let id = Int(parts[0].filter { $0 != " " }) else { return nil }
      guard ClassTable.idRange.contains(id) else {
        throw GenerationError(
          .malformed, file, "names a class \(id), expected 1 to \(ClassTable.idRange.upperBound)")
      }
      let name = parts[1].drop { $0 == " " }
      return ClassTable.Entry(id: id, name: String(name))
    }
    return try ClassTable(entries, path: file)
  }

  /// The words that a class goes by: its name, or the first of several in it, and its aliases.
  static func words(_ entry: ClassTable.Entry) -> [String] {
    [entry.name.split(separator: ",").first.map(String.init) ?? entry.name] + entry.aliases
  }
}
