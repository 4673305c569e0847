import CanonicalJSON
import Checkpoints

/// The pieces of a byte-pair vocabulary and how they merge: `vocab.json` and `merges.txt`.
struct Vocabulary: Sendable {
  /// What ends the last piece of a word.
  static let wordEnd = "</w>"
  /// Ids are below this; the reference keeps them in 32 bits.
  static let idLimit = 1 << 31

  private var ids: [[UInt8]: Int] = [:]
  /// The spelling of every id.
  private(set) var pieces: [Int: String] = [:]
  /// The largest id.
  private(set) var largestID = -1

  /// The bytes inside a word and at its end, in CLIP's order: as their spellings are in Unicode.
  static let ofBytes: Vocabulary = {
    var vocabulary = Vocabulary()
    let ordered = byteSpellings.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    for spelling in ordered { _ = vocabulary.append(Array(spelling.utf8)) }
    for spelling in ordered { _ = vocabulary.append(Array((spelling + wordEnd).utf8)) }
    return vocabulary
  }()

  private init() {}

  /// Adds a piece behind all others; its id.
  mutating func append(_ piece: [UInt8]) -> Int {
    largestID += 1
    ids[piece] = largestID
    pieces[largestID] = String(decoding: piece, as: UTF8.self)
    return largestID
  }

  /// Reads `vocab.json`.
  ///
  /// - Throws: `CheckpointError` if an id is no whole number in 0..<2^31 or occurs twice, or a piece is empty.
  init(_ file: ConfigurationFile) throws {
    let members = try file.object(limit: 32 << 20).members ?? []
    ids.reserveCapacity(members.count)
    pieces.reserveCapacity(members.count)
    for member in members {
      guard case .integer(let number) = member.value, let id = Int(exactly: number),
        id >= 0 && id < Vocabulary.idLimit
      else {
        throw file.fault(
          quoted(member.name),
          "the id is \(shown(member.value)), expected a whole number in 0..<\(Vocabulary.idLimit)")
      }
      guard !member.name.isEmpty else { throw file.fault("\"\"", "a piece of no characters") }
      if let other = pieces.updateValue(member.name, forKey: id) {
        throw file.fault(
          quoted(member.name), "the id \(id) belongs to \(quoted(other)) already; ids are unique")
      }
      ids[Array(member.name.utf8)] = id
    }
    guard let largest = pieces.keys.max() else {
      throw file.fault(nil, "the vocabulary is empty")
    }
    largestID = largest
  }

  /// The number of pieces.
  var count: Int { pieces.count }

  /// The id of a spelling.
  func id(_ piece: String) -> Int? { id(spelledAs: Array(piece.utf8)) }

  /// The id of a spelling's bytes.
  func id(spelledAs piece: [UInt8]) -> Int? { ids[piece] }

  /// Reads `merges.txt`: two pieces a line, most frequent first; lines that start with `#version` are skipped.
  ///
  /// - Throws: `CheckpointError` with the line if it is not two pieces, or a piece or the whole is unknown.
  func merges(_ file: ConfigurationFile) throws -> BytePairMerges {
    let bytes = try file.bytes(limit: 16 << 20)
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw file.fault(nil, "the text is not valid UTF-8")
    }
    var merges = BytePairMerges()
    var rank: UInt32 = 0
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    for (index, line) in lines.enumerated() {
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      if line.starts(with: Array("#version".utf8)) { continue }
      let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw file.fault(
          nil, "line \(index + 1): found \(parts.count) words, expected two pieces and one blank")
      }
      let found = [Array(parts[0]), Array(parts[1]), Array(parts[0] + parts[1])].map { piece in
        (piece: piece, id: ids[piece])
      }
      if let unknown = found.first(where: { $0.id == nil }) {
        throw file.fault(
          nil,
          "line \(index + 1): the piece \(quoted(String(decoding: unknown.piece, as: UTF8.self))) "
            + "is not in vocab.json; both files must come from one tokenizer")
      }
      let known = found.compactMap { $0.id.map(UInt32.init) }
      merges.add(known[0], known[1], BytePairMerges.Merge(rank: rank, id: known[2]))
      rank += 1
    }
    return merges
  }

  /// The ids of the 256 bytes as pieces, inside a word and at its end; `unknown` where there is none.
  func byteIDs(unknown: Int) -> (inside: [UInt32], ending: [UInt32]) {
    let spellings = Vocabulary.byteSpellings
    return (
      spellings.map { UInt32(id($0) ?? unknown) },
      spellings.map { UInt32(id($0 + Vocabulary.wordEnd) ?? unknown) }
    )
  }

  /// How byte-level vocabularies spell a byte: printable Latin-1 as itself, the rest from U+0100 on.
  private static let byteSpellings: [String] = {
    var next: UInt32 = 0x100
    return (0..<256).map { byte in
      let isPrintable = (0x21...0x7e).contains(byte) || byte > 0xa0 && byte != 0xad
      let scalar = isPrintable ? Unicode.Scalar(UInt8(byte)) : Unicode.Scalar(next)
      if !isPrintable { next += 1 }
      return scalar.map { String(Character($0)) } ?? ""
    }
  }()
}
