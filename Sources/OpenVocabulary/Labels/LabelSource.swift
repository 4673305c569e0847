import CanonicalJSON
public import DatasetFormat
public import Imaging

/// A label as somebody wrote it down, before ids are given.
public struct LabelSource: Sendable, Equatable {
  /// The longest name or word, in bytes.
  public static let lengthLimit = 1000

  /// The name.
  public var name: String
  /// What is said to the segmenter, the first one first.
  public var words: [String]
  /// The number in masks, where the source has one.
  public var id: Int?
  /// The colour, where the source has one.
  public var colour: Colour?
  /// The file and line, or the option, for messages.
  public var place: String

  /// Describes a label; words that stand twice count once.
  public init(
    name: String, words: [String]? = nil, id: Int? = nil, colour: Colour? = nil, place: String
  ) {
    var seen = Set<String>()
    self.name = name
    self.words = (words ?? [name]).filter { seen.insert($0).inserted }
    self.id = id
    self.colour = colour
    self.place = place
  }

  /// Labels with commas between them, each a name or `name=word|word` with other words for it.
  ///
  /// - Throws: ``SegmenterError`` where one is empty.
  public static func list(_ text: String, place: String) throws -> [LabelSource] {
    var parts = text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
    // A comma at the end makes a list of one word.
    if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
    return try parts.map { part in
      guard !part.isEmpty else {
        throw SegmenterError(
          .usage, place, "found an empty label; expected names with commas between them")
      }
      return try entry(part, place: place, code: .usage)
    }
  }

  /// A file of one label a line.
  ///
  /// A line is a name, `name=word|word`, or words with ", " between them as in SED's lists of classes. Lines that begin
  /// with `#` are comments.
  ///
  /// - Throws: ``SegmenterError`` with the line.
  public static func lines(_ bytes: [UInt8], path: String) throws -> [LabelSource] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SegmenterError(.malformed, path, "not valid UTF-8; expected a label a line")
    }
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    return try lines.enumerated().compactMap { number, line in
      let line = trimmed(line)
      guard !line.isEmpty, !line.hasPrefix("#") else { return nil }
      return try written(line, place: "\(path):\(number + 1)")
    }
  }

  /// A JSON list of names, as SED and CAT-Seg keep their classes; ", " stands between synonyms.
  ///
  /// - Throws: ``SegmenterError`` where it is anything else.
  public static func json(_ bytes: [UInt8], path: String) throws -> [LabelSource] {
    let value: JSONValue
    do {
      value = try JSONValue.parse(bytes)
    } catch {
      throw SegmenterError(.malformed, path, "is not valid JSON: \(error)")
    }
    guard let elements = value.elements else {
      throw SegmenterError(.malformed, path, "found \(value.kind), expected a list of names")
    }
    return try elements.enumerated().map { number, element in
      let place = "\(path), entry \(number + 1)"
      guard let name = element.string.map({ trimmed(Substring($0)) }), !name.isEmpty else {
        throw SegmenterError(.malformed, place, "found \(element.kind), expected a name")
      }
      return try written(name, place: place)
    }
  }

  /// The classes of a table, with their ids and colours; aliases are other words.
  public static func table(_ table: ClassTable, path: String) -> [LabelSource] {
    table.entries.map {
      LabelSource(
        name: $0.name, words: [$0.name] + $0.aliases, id: $0.id, colour: $0.colour, place: path)
    }
  }

  private static func written(_ line: String, place: String) throws -> LabelSource {
    guard !line.contains("="), line.contains(", ") else {
      return try entry(line, place: place, code: .malformed)
    }
    let words = ClassText.synonyms(line).map { trimmed($0[...]) }.filter { !$0.isEmpty }
    return LabelSource(name: line, words: words, place: place)
  }

  /// A name, or a name with other words.
  private static func entry(
    _ text: String, place: String, code: SegmenterError.Code
  ) throws -> LabelSource {
    guard let sign = text.firstIndex(of: "=") else { return LabelSource(name: text, place: place) }
    let name = trimmed(text[..<sign])
    let words = text[text.index(after: sign)...]
      .split(separator: "|", omittingEmptySubsequences: false).map(trimmed)
    guard !name.isEmpty, words.allSatisfy({ !$0.isEmpty }) else {
      throw SegmenterError(
        code, place, "found \"\(text)\"; expected a name, =, and other words with | between them")
    }
    return LabelSource(name: name, words: [name] + words, place: place)
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
