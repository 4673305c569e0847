import CDeflate
import Checkpoints

/// What people have of CLIP's tokenizer: a folder of both files, or a list of merges alone.
struct MergesFile {
  /// CLIP's merges: its vocabulary of 49,408 without 512 bytes, begin and end.
  ///
  /// OpenAI's file goes on behind them.
  static let countLimit = 48_894
  /// OpenAI's list unpacked has some 3 MB.
  private static let byteLimit = 16 << 20
  private static let begin = "<|startoftext|>"
  private static let end = "<|endoftext|>"

  /// Whether both files are there.
  let isFolder: Bool
  private let file: ConfigurationFile

  /// Looks at what is there; a model's folder counts as its `tokenizer` folder, one without `vocab.json` as the list in it.
  init(_ path: String) {
    let folders = [path, path + "/tokenizer"]
    isFolder = folders.contains { ConfigurationFile("vocab.json", in: $0).exists }
    let lists = folders.flatMap { folder in
      ["merges.txt", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"].map {
        ConfigurationFile($0, in: folder)
      }
    }
    file = lists.first { $0.exists } ?? ConfigurationFile(path)
  }

  /// The folder that holds `vocab.json`, where ``isFolder``.
  static func folder(_ path: String) -> String {
    ConfigurationFile("vocab.json", in: path).exists ? path : path + "/tokenizer"
  }

  /// The tokens that are recognised in a text as they are written.
  static func marks(_ beginID: Int, _ endID: Int) -> AddedTokens {
    var marks = AddedTokens()
    _ = marks.add(TextSplitting.scalars(begin), id: beginID)
    _ = marks.add(TextSplitting.scalars(end), id: endID)
    return marks
  }

  /// Reads the list.
  ///
  /// - Throws: `CheckpointError` with the line where it is not two pieces, or a piece is not made by a line before.
  func contents() throws -> (vocabulary: Vocabulary, merges: BytePairMerges) {
    let bytes = try unpacked(file.bytes(limit: Self.byteLimit))
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw file.fault(nil, "the text is not valid UTF-8; expected a list of merges")
    }
    var vocabulary = Vocabulary.ofBytes
    var merges = BytePairMerges()
    var rank: UInt32 = 0
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
    for (index, line) in lines.enumerated() where rank < Self.countLimit {
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      // OpenAI's list begins with its own name before the version.
      if index == 0, String(decoding: line, as: UTF8.self).contains("#version") { continue }
      let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw file.fault(
          nil, "line \(index + 1): found \(parts.count) words, expected two pieces and one blank")
      }
      let known = parts.map { (piece: $0, id: vocabulary.id(spelledAs: Array($0))) }
      if let unknown = known.first(where: { $0.id == nil }) {
        throw file.fault(
          nil,
          "line \(index + 1): no line before makes the piece "
            + "\(quoted(String(decoding: unknown.piece, as: UTF8.self))); expected a list of merges, best first"
        )
      }
      let ids = known.compactMap { $0.id.map(UInt32.init) }
      let made = vocabulary.append(Array(parts[0] + parts[1]))
      merges.add(ids[0], ids[1], BytePairMerges.Merge(rank: rank, id: UInt32(made)))
      rank += 1
    }
    guard rank > 0 else {
      throw file.fault(nil, "no merges; expected two pieces a line, best first")
    }
    for mark in [Self.begin, Self.end] { _ = vocabulary.append(Array(mark.utf8)) }
    return (vocabulary, merges)
  }

  private func unpacked(_ bytes: [UInt8]) throws -> [UInt8] {
    guard bytes.starts(with: [0x1f, 0x8b]) else { return bytes }
    var out = [UInt8](repeating: 0, count: Self.byteLimit)
    var count = 0
    switch cdeflate_unpack(CDEFLATE_GZIP, bytes, bytes.count, &out, out.count, &count) {
    case CDEFLATE_OK: return Array(out[..<count])
    case CDEFLATE_TOO_LARGE:
      throw file.fault(nil, "more than \(Self.byteLimit) bytes unpacked; expected CLIP's merges")
    case CDEFLATE_NO_MEMORY: throw file.fault(nil, "no memory to unpack it")
    default: throw file.fault(nil, "the gzip data are damaged or cut short; get the file again")
    }
  }
}
