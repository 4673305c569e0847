/// A zip archive of stored entries, as plainly as it can be written.
public func zipArchive(_ entries: [(name: String, data: [UInt8])]) -> [UInt8] {
  ZipArchive(entries).bytes
}

/// An archive of a pickle and three storages, as the fuzz target of pickles reads it.
public func fuzzedArchive(of pickle: [UInt8]) -> [UInt8] {
  zipArchive(
    [("x/data.pkl", pickle)]
      + [("0", 48), ("1", 8), ("2", 0)].map { key, count in
        ("x/data/\(key)", (0..<count).map { UInt8($0) })
      })
}

/// A zip archive whose fields can be changed one by one.
public struct ZipArchive {
  /// The whole file.
  public var bytes: [UInt8] = []
  /// Where each entry's own header begins.
  public private(set) var locals: [Int] = []
  /// Where each entry's record in the directory begins.
  public private(set) var centrals: [Int] = []
  /// Where the end record begins.
  public private(set) var end = 0

  /// Writes a sound archive of stored entries.
  public init(_ entries: [(name: String, data: [UInt8])]) {
    var directory: [UInt8] = []
    for (name, data) in entries {
      let name = Array(name.utf8)
      let common =
        Self.little(0, 6) + Self.little(0, 8) + Self.little(data.count, 4)
        + Self.little(data.count, 4) + Self.little(name.count, 2)
      locals.append(bytes.count)
      centrals.append(directory.count)
      directory += [0x50, 0x4B, 1, 2] + Self.little(0, 2) + common + Self.little(0, 12)
      directory += Self.little(bytes.count, 4) + name
      bytes += [0x50, 0x4B, 3, 4] + common + Self.little(0, 2) + name + data
    }
    let start = bytes.count
    centrals = centrals.map { start + $0 }
    end = start + directory.count
    bytes += directory + Self.endRecord(entries.count, directory.count, start)
  }

  /// An end record: the number of entries, and the directory's length and place.
  public static func endRecord(_ count: Int, _ length: Int, _ offset: Int) -> [UInt8] {
    [0x50, 0x4B, 5, 6] + little(0, 4) + little(count, 2) + little(count, 2) + little(length, 4)
      + little(offset, 4) + little(0, 2)
  }

  /// A zip64 record of the same, and the locator that says at which byte it begins.
  public static func zip64Records(
    _ count: Int, _ length: Int, _ offset: Int, at place: Int
  ) -> [UInt8] {
    [0x50, 0x4B, 6, 6] + little(44, 8) + little(0, 12) + little(count, 8) + little(count, 8)
      + little(length, 8) + little(offset, 8) + [0x50, 0x4B, 6, 7] + little(0, 4)
      + little(place, 8) + little(1, 4)
  }

  /// Puts a number of `size` bytes at a place.
  public mutating func set(_ place: Int, _ number: Int, _ size: Int = 2) {
    bytes.replaceSubrange(place..<place + size, with: Self.little(number, size))
  }

  /// Puts bytes in front of the end record.
  public mutating func insertBeforeEnd(_ more: [UInt8]) {
    bytes.insert(contentsOf: more, at: end)
    end += more.count
  }

  /// The bytes of a number, the lowest first.
  public static func little(_ number: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { $0 < 8 ? UInt8(truncatingIfNeeded: number >> (8 * $0)) : 0 }
  }
}
