/// A list of files in little memory: a path's bytes and 42 more each, for exports of millions of files.
struct PackedFileList {
  /// A file.
  struct Entry {
    var path: String
    var size: Int
    /// 32 bytes.
    var sha256: [UInt8]
  }

  /// Where an entry begins: blocks are never copied as the list grows.
  struct Place {
    fileprivate var block: UInt32
    fileprivate var offset: UInt32
  }

  private static let blockSize = 1 << 20
  private static let hashSize = 32
  private static let sizeBytes = 8

  private var blocks: [[UInt8]] = []
  private var places: [Place] = []

  /// How many files there are.
  var count: Int { places.count }

  /// Adds a file.
  ///
  /// - Precondition: the path has fewer than 65536 bytes, the hash 32.
  mutating func append(_ entry: Entry) {
    let path = Array(entry.path.utf8)
    precondition(
      path.count <= UInt16.max && entry.sha256.count == Self.hashSize, "file \(entry.path)")
    let needed = 2 + path.count + Self.hashSize + Self.sizeBytes
    if blocks.isEmpty || blocks[blocks.count - 1].count + needed > Self.blockSize {
      blocks.append([])
      blocks[blocks.count - 1].reserveCapacity(Self.blockSize)
    }
    let last = blocks.count - 1
    places.append(Place(block: UInt32(last), offset: UInt32(blocks[last].count)))
    blocks[last] += [UInt8(path.count & 0xff), UInt8(path.count >> 8)]
    blocks[last] += path
    blocks[last] += entry.sha256
    blocks[last] += (0..<Self.sizeBytes).map { UInt8(truncatingIfNeeded: entry.size >> (8 * $0)) }
  }

  /// A file.
  subscript(place: Place) -> Entry {
    let path = pathBytes(at: place)
    let block = blocks[Int(place.block)]
    let size = path.endIndex + Self.hashSize
    return Entry(
      path: String(decoding: path, as: UTF8.self),
      size: (0..<Self.sizeBytes).reduce(0) { $0 | Int(block[size + $1]) << (8 * $1) },
      sha256: Array(block[path.endIndex..<size]))
  }

  /// Where the files stand, by the bytes of their paths.
  var sortedPlaces: [Place] {
    places.sorted { pathBytes(at: $0).lexicographicallyPrecedes(pathBytes(at: $1)) }
  }

  private func pathBytes(at place: Place) -> ArraySlice<UInt8> {
    let block = blocks[Int(place.block)]
    let start = Int(place.offset)
    let count = Int(block[start]) | Int(block[start + 1]) << 8
    return block[start + 2..<start + 2 + count]
  }
}
