public import DatasetFormat
import Generation
import OpenVocabulary

/// Lists of classes, as their users and published code write them.
public enum BenchmarkClasses {
  private static let sizeLimit = 1 << 20

  /// Reads a class file: a table (`.tsv`), a JSON list of names (`.json`, `, ` between synonyms), or a vocabulary.
  ///
  /// - Parameter name: the file, or a vocabulary's name or comma list.
  /// - Returns: the classes, numbered from 1 where the file has no ids.
  /// - Throws: `GenerationError`, `SegmenterError` or `DatasetError` where it cannot be read.
  public static func table(_ name: String) throws -> ClassTable {
    if name.hasSuffix(".tsv") {
      return try ClassTable(
        tsv: FileAccess.bytes(of: name, limit: sizeLimit), path: name, colours: .optional)
    }
    if name.hasSuffix(".json") {
      let labels = try LabelSource.json(FileAccess.bytes(of: name, limit: sizeLimit), path: name)
      guard labels.count <= ClassTable.idRange.upperBound else {
        throw GenerationError(
          .malformed, name,
          "\(labels.count) classes; at most \(ClassTable.idRange.upperBound) have ids")
      }
      return try ClassTable(
        labels.enumerated().map {
          ClassTable.Entry(id: $0 + 1, name: $1.name, aliases: Array($1.words.dropFirst()))
        }, path: name)
    }
    let vocabulary = try TemplateLibrary().vocabulary(name)
    return try ClassTable(vocabulary.numbered.map { $0.named.entry(id: $0.id) }, path: name)
  }

  /// A table with its classes marked by a split.
  ///
  /// - Throws: `GenerationError` where the split cannot be read or names other classes.
  public static func marked(_ table: ClassTable, by split: String) throws -> ClassTable {
    try ClassTable(
      TemplateLibrary().split(split).marked(table.entries, of: "data"))
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
}
