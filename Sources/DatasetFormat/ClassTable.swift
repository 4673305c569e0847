public import Imaging

/// The classes of a run: what classes.tsv holds.
///
/// A line a class, ascending ids, five fields between tabs: id, name, aliases with commas between them, colour as
/// `#rrggbb`, and `seen`, `unseen` or `-`.
public struct ClassTable: Sendable, Equatable {
  /// Which part of a split a class belongs to.
  public enum Split: String, Sendable {
    /// Labelled when the masks' model was trained.
    case seen
    /// Never labelled there.
    case unseen
    /// There is no split.
    case none = "-"
  }

  /// What a file says of colours.
  public enum Colours: Sendable {
    /// Every line has one, as in a run folder.
    case required
    /// A line of four fields has none, as people write tables by hand.
    case optional
  }

  /// One class.
  public struct Entry: Sendable, Equatable {
    /// The number in masks, 1 to 65534.
    public var id: Int
    /// The name, unique in its table.
    public var name: String
    /// Other words for the same.
    public var aliases: [String]
    /// The colour in pictures of masks.
    public var colour: Colour
    /// Seen or unseen.
    public var split: Split

    /// Describes a class; the colour is the palette's unless another is given.
    ///
    /// - Precondition: the id lies in ``ClassTable/idRange``.
    public init(
      id: Int, name: String, aliases: [String] = [], colour: Colour? = nil, split: Split = .none
    ) {
      precondition(ClassTable.idRange.contains(id), "class id \(id)")
      self.id = id
      self.name = name
      self.aliases = aliases
      self.colour = colour ?? Palette.colour(of: UInt16(id))
      self.split = split
    }
  }

  /// The ids a class may have: 0 is the background, the highest number is to be ignored.
  public static let idRange = 1...65534

  /// The classes by ascending id.
  public let entries: [Entry]

  /// Checks and sorts classes; none at all are allowed.
  ///
  /// - Parameters:
  ///   - entries: the classes.
  ///   - path: where they come from, for messages.
  /// - Throws: ``DatasetError`` `malformed` where an id or name occurs twice, or a name cannot be written.
  public init(_ entries: [Entry], path: String = RunLayout.classFile) throws {
    var ids = Set<Int>()
    var names = Set<String>()
    for entry in entries {
      guard ids.insert(entry.id).inserted else {
        throw DatasetError(.malformed, path: path, "the class id \(entry.id) occurs twice")
      }
      guard names.insert(entry.name).inserted else {
        throw DatasetError(.malformed, path: path, "the class \"\(entry.name)\" occurs twice")
      }
      for word in [entry.name] + entry.aliases { try Self.check(word, path: path) }
      if let alias = entry.aliases.first(where: { $0.contains(",") }) {
        throw DatasetError(.malformed, path: path, "the alias \"\(alias)\" holds a comma")
      }
    }
    self.entries = entries.sorted { $0.id < $1.id }
  }

  /// Reads a file; lines that begin with `#` are comments.
  ///
  /// - Parameters:
  ///   - tsv: the file's bytes.
  ///   - path: the file, for messages.
  ///   - colours: whether a line has a colour; without them the palette's are taken.
  /// - Throws: ``DatasetError`` `malformed` with the line that is wrong.
  public init(tsv: [UInt8], path: String, colours: Colours = .required) throws {
    guard let text = String(validating: tsv, as: UTF8.self) else {
      throw DatasetError(.malformed, path: path, "not valid UTF-8")
    }
    var entries: [Entry] = []
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      if line.first == UInt8(ascii: "#") || (line.isEmpty && number == lines.count - 1) { continue }
      entries.append(
        try Self.entry(
          String(Substring(line)), path: "\(path), line \(number + 1)", colours: colours))
    }
    try self.init(entries, path: path)
  }

  /// The file's text.
  public var tsv: String {
    entries.map { entry in
      [
        String(entry.id), entry.name, entry.aliases.joined(separator: ","),
        entry.colour.description, entry.split.rawValue,
      ].joined(separator: "\t") + "\n"
    }.joined()
  }

  /// The depth that all masks of the run have.
  public var maskDepth: LabelMask.Depth {
    LabelMask.Depth(highestID: entries.last?.id ?? 0)
  }

  private static func entry(_ line: String, path: String, colours: Colours) throws -> Entry {
    var fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    let hasColour = colours == .required || fields.count != 4
    guard fields.count == (hasColour ? 5 : 4) else {
      throw DatasetError(
        .malformed, path: path,
        "\(fields.count) fields, expected 5: id, name, aliases, colour, split")
    }
    if !hasColour { fields.insert("", at: 3) }
    guard let id = Int(fields[0]), String(id) == fields[0], idRange.contains(id) else {
      throw DatasetError(
        .malformed, path: path,
        "the id is \"\(fields[0])\", expected \(idRange.lowerBound) to \(idRange.upperBound)")
    }
    let colour = hasColour ? Colour(hexadecimal: fields[3]) : Palette.colour(of: UInt16(id))
    guard let colour else {
      throw DatasetError(
        .malformed, path: path, "the colour is \"\(fields[3])\", expected #rrggbb")
    }
    guard let split = Split(rawValue: fields[4]) else {
      throw DatasetError(
        .malformed, path: path, "the split is \"\(fields[4])\", expected seen, unseen or -")
    }
    let aliases =
      fields[2].isEmpty
      ? []
      : fields[2].split(
        separator: ",", omittingEmptySubsequences: false
      ).map(String.init)
    return Entry(id: id, name: fields[1], aliases: aliases, colour: colour, split: split)
  }

  private static func check(_ word: String, path: String) throws {
    guard !word.isEmpty, word.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
    else {
      let shown = word.unicodeScalars.map { $0.escaped(asASCII: false) }.joined()
      throw DatasetError(
        .malformed, path: path,
        "the name \"\(shown)\" is empty or holds a tab, line end or control character")
    }
  }
}
