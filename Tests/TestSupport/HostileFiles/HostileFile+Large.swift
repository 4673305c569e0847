extension HostileFile {
  /// Small instructions in great number: nesting, repetition and copies of copies.
  public static let large: [HostileFile] = [
    repeated("lists-in-lists", "holds a container", 100_000) { [0x5D] + $0([0x5D]) + $0([0x61]) },
    repeated("tuples-in-tuples", "holds a container", 100_000) { [0x4E] + $0([0x85]) },
    repeated("dictionaries-in-dictionaries", "holds no tensors", 100_000) {
      [0x7D, 0x71, 0] + $0([0x4E, 0x7D]) + $0([0x73])
    },
    repeated("a-million-values", "values on the stack", 1 << 20) { $0([0x4E]) },
    repeated("a-million-marks", "marks", 1 << 20) { $0([0x28]) },
    repeated("a-million-containers", "containers", 1 << 20) { [0x28] + $0([0x7D, 0x85]) },
    repeated("a-million-copies", "values", 1 << 20) { [0x7D, 0x71, 0, 0x28] + $0([0x68, 0]) },
    repeated("a-million-memories", "to remember", 1 << 20) { [0x4E] + $0([0x94]) },
    repeated("a-list-into-itself", "values in containers", 3 << 20) {
      [0x5D, 0x71, 0] + $0([0x68, 0, 0x61])
    },
    repeated("classes-without-end", "names of classes", 1 << 17) {
      [0x5D, 0x28] + $0(Pickled.global("a", "b"))
    },
    // Each container holds the one before four times: 10^24 strings for who walks through all.
    HostileFile("large-billion-laughs", "holds no tensors") {
      Pickled.file(laughs(Pickled.string("ha")))
    },
    HostileFile("large-laughs-that-call", "os.system, which is not allowed") {
      Pickled.file(laughs(Pickled.global("os", "system")))
    },
    HostileFile("large-arguments-again-and-again", "REDUCE with 400001 arguments") {
      // A tuple of many values, and a stranger behind them, given to one call after another.
      var pickle: [UInt8] = [0x28] + [UInt8](repeating: 0x4E, count: 400_000)
      pickle += Pickled.global("os", "system") + [0x74, 0x71, 0]
      let call = Pickled.global("torch._utils", "_rebuild_parameter") + [0x71, 1]
      let again: [UInt8] = [0x68, 1, 0x68, 0, 0x52]
      pickle += call + Array(repeatElement(again, count: 100_000).joined())
      return Pickled.file(pickle)
    },
    HostileFile("large-strings", "at most 16777216 are read") {
      Pickled.file([0x58, 0, 0, 0, 2] + [UInt8](repeating: 0x61, count: 1 << 25))
    },
    HostileFile("large-directory", "at most 131072 in") {
      var archive = ZipArchive((0..<140_000).map { ("x/\($0)", []) })
      let (start, end) = (archive.centrals[0], archive.end)
      for place in [8, 10] { archive.set(end + place, -1) }
      archive.insertBeforeEnd(ZipArchive.zip64Records(140_000, end - start, start, at: end))
      return archive.bytes
    },
  ]

  /// A dictionary of forty tuples, the first of one value.
  private static func laughs(_ value: [UInt8]) -> [UInt8] {
    var members: [(String, [UInt8])] = []
    for level in 0...40 {
      let copy: [UInt8] = [0x68, UInt8(max(0, level - 1))]
      let contents = level == 0 ? value : copy + copy + copy + copy
      members.append(("\(level)", Pickled.tuple([contents]) + [0x71, UInt8(level)]))
    }
    return Pickled.dictionary(members)
  }

  /// A pickle in which pieces are repeated.
  private static func repeated(
    _ name: String, _ says: String, _ count: Int,
    _ pickle: @escaping @Sendable (_ repeat: ([UInt8]) -> [UInt8]) -> [UInt8]
  ) -> HostileFile {
    HostileFile("large-" + name, says) {
      Pickled.file(pickle { piece in Array(repeatElement(piece, count: count).joined()) })
    }
  }
}
