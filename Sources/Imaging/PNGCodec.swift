import CPNG

/// PNG to and from memory, with limits against hostile files.
///
/// Read: at most 8192 pixels a side, 64 ancillary chunks, 1 MB a chunk, no animation, nothing behind the end.
/// Written: fixed settings and no time, so equal pixels and text give equal bytes.
public enum PNGCodec {
  /// The keyword of the text that this program writes.
  public static let keyword = "triptych"

  /// Writes a picture, 8-bit RGB or grey.
  ///
  /// - Parameters:
  ///   - image: the picture.
  ///   - text: kept in an iTXt chunk under ``keyword``; nil for none.
  /// - Returns: the file's bytes.
  /// - Throws: ``ImagingError`` where the text cannot be carried or memory ends.
  public static func encode(_ image: PixelImage, text: String? = nil) throws -> [UInt8] {
    var source = cpng_source()
    source.width = UInt32(image.width)
    source.height = UInt32(image.height)
    source.bit_depth = 8
    source.color_type = UInt8(image.channels == .rgb ? CPNG_RGB : CPNG_GREY)
    return try image.samples.withUnsafeBytes { pixels in
      source.pixels = pixels.baseAddress
      source.pixel_bytes = pixels.count
      return try encode(source, text: text)
    }
  }

  /// Writes a mask: a palette PNG of 8 bits with ``Palette/voc``, or a grey one of 16 bits.
  ///
  /// - Parameters:
  ///   - mask: the mask.
  ///   - depth: bits of an id; use the same for all masks of a run.
  ///   - text: kept in an iTXt chunk under ``keyword``; nil for none.
  /// - Returns: the file's bytes.
  /// - Throws: ``ImagingError`` where an id does not fit the depth or the text cannot be carried.
  public static func encode(
    _ mask: LabelMask, depth: LabelMask.Depth, text: String? = nil
  ) throws -> [UInt8] {
    var source = cpng_source()
    source.width = UInt32(mask.width)
    source.height = UInt32(mask.height)
    source.bit_depth = UInt8(depth.rawValue)
    switch depth {
    case .sixteen:
      source.color_type = UInt8(CPNG_GREY)
      return try mask.ids.withUnsafeBytes { pixels in
        source.pixels = pixels.baseAddress
        source.pixel_bytes = pixels.count
        return try encode(source, text: text)
      }
    case .eight:
      source.color_type = UInt8(CPNG_PALETTE)
      return try encodePalette(
        eightBitIDs(of: mask), palette: Palette.voc, alpha: [], source: source, text: text)
    }
  }

  /// Writes indices with a palette of the caller's.
  ///
  /// - Parameters:
  ///   - indices: one byte a pixel, row after row, each below the count of colours.
  ///   - width: pixels in a row.
  ///   - height: rows.
  ///   - palette: 1 to 256 colours.
  ///   - alpha: opacity of the first colours; the others are opaque.
  ///   - text: kept in an iTXt chunk under ``keyword``; nil for none.
  /// - Returns: the file's bytes.
  /// - Throws: ``ImagingError`` where sizes, indices and colours do not fit each other.
  public static func encode(
    indices: [UInt8], width: Int, height: Int, palette: [Colour], alpha: [UInt8] = [],
    text: String? = nil
  ) throws -> [UInt8] {
    _ = try PixelImage(width: width, height: height, channels: .grey, samples: indices)
    guard (1...256).contains(palette.count), alpha.count <= palette.count else {
      throw ImagingError(
        .unsupported,
        "a palette of \(palette.count) colours and \(alpha.count) alphas; expected 1 to 256")
    }
    var source = cpng_source()
    source.width = UInt32(width)
    source.height = UInt32(height)
    source.bit_depth = 8
    source.color_type = UInt8(CPNG_PALETTE)
    return try encodePalette(indices, palette: palette, alpha: alpha, source: source, text: text)
  }

  private static func encodePalette(
    _ indices: [UInt8], palette: [Colour], alpha: [UInt8], source: cpng_source, text: String?
  ) throws -> [UInt8] {
    var source = source
    let colours = palette.flatMap { [$0.red, $0.green, $0.blue] }
    return try indices.withUnsafeBytes { pixels in
      source.pixels = pixels.baseAddress
      source.pixel_bytes = pixels.count
      return try colours.withUnsafeBufferPointer { colours in
        source.palette = colours.baseAddress
        source.palette_count = Int32(palette.count)
        return try alpha.withUnsafeBufferPointer { alpha in
          source.alpha = alpha.baseAddress
          source.alpha_count = Int32(alpha.count)
          return try encode(source, text: text)
        }
      }
    }
  }

  private static func encode(_ source: cpng_source, text: String?) throws -> [UInt8] {
    guard let text else { return try encode(source) }
    // The chunk also holds the keyword and five bytes of its own.
    let limit = Int(CPNG_CHUNK_SIZE_LIMIT) - keyword.utf8.count - 5
    guard text.utf8.count <= limit else {
      throw ImagingError(
        .unsuitableText, "a text of \(text.utf8.count) bytes; a PNG carries at most \(limit)")
    }
    guard !text.utf8.contains(0) else {
      throw ImagingError(.unsuitableText, "a text with a zero byte; a PNG cannot carry it")
    }
    var source = source
    return try keyword.withCString { keyword in
      source.keyword = keyword
      return try text.withCString { text in
        source.text = text
        return try encode(source)
      }
    }
  }

  private static func encode(_ source: cpng_source) throws -> [UInt8] {
    var source = source
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    try checked { cpng_encode(&source, &bytes, &count, $0) }
    defer { cpng_bytes_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }

  private static func eightBitIDs(of mask: LabelMask) throws -> [UInt8] {
    try mask.ids.enumerated().map { index, id in
      if id == LabelMask.ignored { return 255 }
      guard id <= LabelMask.highestEightBitID else {
        throw ImagingError(
          .idOutOfRange,
          "id \(id) at pixel (\(index % mask.width), \(index / mask.width)); "
            + "a mask of 8 bits holds 0 to \(LabelMask.highestEightBitID)")
      }
      return UInt8(id)
    }
  }

  /// Runs a C call and turns its status and message into an error.
  static func checked(
    format: String = "PNG", _ body: (UnsafeMutablePointer<CChar>) -> cpng_status
  ) throws {
    try CodecMessage.checked(format: format, capacity: Int(CPNG_MESSAGE_SIZE)) { message in
      switch body(message) {
      case CPNG_OK: nil
      case CPNG_UNSUPPORTED: .unsupported
      case CPNG_TOO_LARGE: .tooLarge
      case CPNG_NO_MEMORY: .outOfMemory
      default: .malformed
      }
    }
  }
}
