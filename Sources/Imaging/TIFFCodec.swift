import CPNG

/// TIFF masks from memory.
///
/// One grey sample of 8 or 16 bits a pixel, in strips, which is how data sets keep more than 255 classes. The first
/// picture of a file is read.
///
/// Strips may be plain or packed by LZW, deflate or PackBits, with or without horizontal differences. Every offset and
/// count is checked against the file, and sizes against `PixelImage.sideLimit`, before anything is allocated.
///
/// - Source: TIFF, revision 6.0 (Adobe, 1992), parts 1 and 2.
public enum TIFFCodec {
  /// Whether a file's first bytes say that it is a TIFF.
  public static func isTIFF(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0x49, 0x49, 42, 0]) || bytes.starts(with: [0x4d, 0x4d, 0, 42])
      || bytes.starts(with: [0x49, 0x49, 43, 0]) || bytes.starts(with: [0x4d, 0x4d, 0, 43])
  }

  /// Reads a mask.
  ///
  /// - Parameter bytes: a whole file.
  /// - Returns: the mask; 255 of 8 bits and 65535 of 16 have become ``LabelMask/ignored``.
  /// - Throws: ``ImagingError`` where the file is malformed, beyond the limits or no grey picture.
  public static func decodeMask(_ bytes: [UInt8]) throws -> LabelMask {
    let directory = try TIFFDirectory(bytes)
    var ids: [UInt16] = []
    ids.reserveCapacity(directory.width * directory.height)
    for strip in 0..<directory.stripCount {
      let rows = directory.rows(ofStrip: strip)
      var samples = try directory.samples(
        ofStrip: strip, count: rows * directory.width * directory.sampleSize)
      let isWide = directory.sampleSize == 2
      let isBig = directory.isBigEndian
      let values = isWide ? samples.count / 2 : samples.count
      for place in 0..<values {
        // The column tells where a row's differences begin anew.
        let isFirst = place % directory.width == 0
        if isWide {
          let (high, low) = isBig ? (2 * place, 2 * place + 1) : (2 * place + 1, 2 * place)
          var value = UInt16(samples[high]) << 8 | UInt16(samples[low])
          if directory.hasDifferences, !isFirst, let before = ids.last { value &+= before }
          ids.append(value)
        } else {
          if directory.hasDifferences, !isFirst { samples[place] &+= samples[place - 1] }
          ids.append(UInt16(samples[place]))
        }
      }
    }
    var mask = try LabelMask(width: directory.width, height: directory.height, ids: ids)
    if directory.sampleSize == 1 {
      mask.relabel { ids[$0] == 255 ? LabelMask.ignored : ids[$0] }
    }
    return mask
  }
}

/// What the first directory of a TIFF says of its picture.
private struct TIFFDirectory {
  private enum Tag: Int {
    case width = 256
    case height = 257
    case bits = 258
    case compression = 259
    case stripOffsets = 273
    case orientation = 274
    case samples = 277
    case rowsPerStrip = 278
    case stripSizes = 279
    case predictor = 317
    case tileWidth = 322
    case sampleFormat = 339
  }

  private enum Compression: Int {
    case none = 1
    case lzw = 5
    case deflate = 8
    case packBits = 32773
    case oldDeflate = 32946
  }

  let width: Int
  let height: Int
  /// Bytes of a sample: 1 or 2.
  let sampleSize: Int
  let isBigEndian: Bool
  let hasDifferences: Bool
  let stripCount: Int
  private let rowsPerStrip: Int
  private let compression: Compression
  private let strips: [Range<Int>]
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) throws {
    guard let file = TIFFNumbers(bytes) else {
      throw Self.unsupported("no classic TIFF; BigTIFF is not read")
    }
    var entries: [Tag: [Int]] = [:]
    let start = try file.needed(at: 4, size: 4)
    for entry in 0..<(try file.needed(at: start, size: 2)) {
      let place = start + 2 + 12 * entry
      if let tag = Tag(rawValue: try file.needed(at: place, size: 2)), entries[tag] == nil {
        entries[tag] = try file.values(ofEntryAt: place)
      }
    }
    func value(_ tag: Tag, usually usual: Int? = nil) throws -> Int {
      guard let value = entries[tag]?.first ?? usual else {
        throw ImagingError(.malformed, "TIFF: has no tag \(tag.rawValue)")
      }
      return value
    }
    width = try value(.width)
    height = try value(.height)
    _ = try PixelImage.checkedPixelCount(width: width, height: height)
    let bits = try value(.bits, usually: 1)
    guard bits == 8 || bits == 16, try value(.samples, usually: 1) == 1,
      try value(.sampleFormat, usually: 1) == 1, try value(.orientation, usually: 1) == 1,
      entries[.tileWidth] == nil
    else {
      throw Self.unsupported(
        "no upright picture of one sample of 8 or 16 bits, unsigned, a pixel in strips")
    }
    let packing = try value(.compression, usually: 1)
    guard let compression = Compression(rawValue: packing) else {
      throw Self.unsupported("packed by method \(packing); save it plain, or with LZW or deflate")
    }
    let predictor = try value(.predictor, usually: 1)
    guard predictor == 1 || predictor == 2 else {
      throw Self.unsupported("has the predictor \(predictor), expected 1 or 2")
    }
    hasDifferences = predictor == 2 && compression != .none && compression != .packBits
    self.compression = compression
    sampleSize = bits / 8
    isBigEndian = !file.isLittleEndian
    rowsPerStrip = min(height, max(1, try value(.rowsPerStrip, usually: height)))
    stripCount = (height - 1) / rowsPerStrip + 1
    let offsets = entries[.stripOffsets] ?? []
    // Plain files may leave the sizes out.
    let plain = rowsPerStrip * width * sampleSize
    let sizes = entries[.stripSizes] ?? (stripCount == 1 && compression == .none ? [plain] : [])
    guard offsets.count == stripCount, sizes.count == stripCount else {
      throw ImagingError(
        .malformed,
        "TIFF: \(offsets.count) offsets and \(sizes.count) sizes of \(stripCount) strips")
    }
    strips = try zip(offsets, sizes).map { offset, size in
      guard size <= bytes.count, offset <= bytes.count - size else {
        throw ImagingError(.malformed, "TIFF: a strip lies beyond the file's end; it was cut short")
      }
      return offset..<offset + size
    }
    self.bytes = bytes
  }

  func rows(ofStrip strip: Int) -> Int { min(rowsPerStrip, height - strip * rowsPerStrip) }

  /// A strip, unpacked.
  func samples(ofStrip strip: Int, count: Int) throws -> [UInt8] {
    let packed = bytes[strips[strip]]
    let samples: [UInt8]
    switch compression {
    case .none: samples = Array(packed.prefix(count))
    case .packBits: samples = TIFFUnpacking.packBits(packed, count: count)
    case .lzw: samples = try TIFFUnpacking.lzw(packed, count: count)
    case .deflate, .oldDeflate:
      var out = [UInt8](repeating: 0, count: count)
      try PNGCodec.checked(format: "TIFF") { message in
        Array(packed).withUnsafeBufferPointer {
          cpng_unpack($0.baseAddress, $0.count, &out, count, message)
        }
      }
      samples = out
    }
    guard samples.count == count else {
      throw ImagingError(
        .malformed, "TIFF: strip \(strip) has \(samples.count) bytes, expected \(count)")
    }
    return samples
  }

  private static func unsupported(_ what: String) -> ImagingError {
    ImagingError(.unsupported, "TIFF: \(what)")
  }
}

extension TIFFNumbers {
  /// The most values of an entry: a strip for every row.
  private static let valueLimit = PixelImage.sideLimit

  /// A number that has to be there.
  func needed(at place: Int, size: Int) throws -> Int {
    guard let value = number(at: place, size: size) else {
      throw ImagingError(.malformed, "TIFF: ends before byte \(place + size); it was cut short")
    }
    return value
  }

  /// The whole numbers of an entry of a directory.
  func values(ofEntryAt place: Int) throws -> [Int] {
    let type = try needed(at: place + 2, size: 2)
    guard let size = [1: 1, 3: 2, 4: 4][type] else {
      throw ImagingError(.malformed, "TIFF: an entry of type \(type), expected a whole number")
    }
    let count = try needed(at: place + 4, size: 4)
    guard count <= Self.valueLimit else {
      throw ImagingError(
        .tooLarge, "TIFF: an entry of \(count) values; at most \(Self.valueLimit) are read")
    }
    let start = count * size <= 4 ? place + 8 : try needed(at: place + 8, size: 4)
    return try (0..<count).map { try needed(at: start + $0 * size, size: size) }
  }
}

/// The packings that TIFF has of its own.
private enum TIFFUnpacking {
  /// Runs of bytes, each with its length in front; stops where either side ends.
  static func packBits(_ packed: ArraySlice<UInt8>, count: Int) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(count)
    var place = packed.startIndex
    while out.count < count, place < packed.endIndex {
      let head = Int(Int8(bitPattern: packed[place]))
      place += 1
      if head >= 0 {
        out += packed[place..<min(place + head + 1, packed.endIndex)].prefix(count - out.count)
        place = min(place + head + 1, packed.endIndex)
      } else if head > -128, place < packed.endIndex {
        out += repeatElement(packed[place], count: min(1 - head, count - out.count))
        place += 1
      }
    }
    return out
  }

  /// Codes of 9 to 12 bits from the highest bit down, growing one code early.
  static func lzw(_ packed: ArraySlice<UInt8>, count: Int) throws -> [UInt8] {
    let (clear, end, limit) = (256, 257, 4096)
    var out: [UInt8] = []
    out.reserveCapacity(count)
    // Each code stands for bytes that were written before: where they begin, and how many.
    var entries: [(start: Int, count: Int)] = []
    var previous: (start: Int, count: Int)?
    var (buffer, bits, width) = (0, 0, 9)
    for byte in packed {
      buffer = (buffer << 8 | Int(byte)) & 0xff_ffff
      bits += 8
      guard bits >= width else { continue }
      bits -= width
      let code = buffer >> bits & ((1 << width) - 1)
      if code == end { break }
      if code == clear {
        entries.removeAll(keepingCapacity: true)
        (previous, width) = (nil, 9)
        continue
      }
      let start = out.count
      if code < clear {
        out.append(UInt8(code))
      } else {
        let place = code - end - 1
        guard let previous, place <= entries.count else {
          throw ImagingError(.malformed, "TIFF: the LZW code \(code) stands for nothing yet")
        }
        let entry = place < entries.count ? entries[place] : (previous.start, previous.count + 1)
        // The newest entry ends with its own first byte, which is written here as it is read.
        for offset in entry.0..<entry.0 + entry.1 where out.count < count {
          out.append(out[offset])
        }
      }
      if let previous, entries.count + end + 1 < limit {
        entries.append((previous.start, previous.count + 1))
      }
      previous = (start, out.count - start)
      if out.count >= count { break }
      let next = entries.count + end + 1 + 1
      width = next >= 2048 ? 12 : next >= 1024 ? 11 : next >= 512 ? 10 : 9
    }
    return out
  }
}
