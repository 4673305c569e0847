import CJPEG

/// Reads and writes JPEG in memory, strict about hostile files.
///
/// Read: baseline and progressive, 8 bits a sample, grey, YCbCr, RGB, CMYK and YCCK as Adobe writes them; at most
/// 8192 pixels a side and 100 scans. Damaged data is refused, bytes behind the end are left alone, because cameras
/// keep further pictures there. Written: baseline JFIF with fixed settings and no Exif, so equal pixels give equal
/// bytes.
public enum JPEGCodec {
  /// From this quality on colour keeps its full resolution (4:4:4); below it is halved both ways (4:2:0).
  public static let fullChromaQuality = 90

  /// Writes a picture.
  ///
  /// - Parameters:
  ///   - image: the picture, RGB or grey.
  ///   - quality: 1 (smallest) to 100 (best), on libjpeg's scale.
  /// - Returns: the file's bytes.
  /// - Throws: ``ImagingError`` where the quality is out of range or memory ends.
  public static func encode(_ image: PixelImage, quality: Int) throws -> [UInt8] {
    guard (1...100).contains(quality) else {
      throw ImagingError(.unsupported, "JPEG: quality \(quality); expected 1 to 100")
    }
    var source = cjpeg_source()
    source.width = UInt32(image.width)
    source.height = UInt32(image.height)
    source.channels = Int32(image.channels.rawValue)
    source.quality = Int32(quality)
    source.halves_chroma = image.channels == .rgb && quality < fullChromaQuality ? 1 : 0
    return try image.samples.withUnsafeBufferPointer { pixels in
      source.pixels = pixels.baseAddress
      source.pixel_bytes = pixels.count
      var bytes: UnsafeMutablePointer<UInt8>?
      var count = 0
      try checked { cjpeg_encode(&source, &bytes, &count, $0) }
      defer { cjpeg_bytes_free(bytes) }
      return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
  }

  /// Runs a C call and turns its status and message into an error.
  static func checked(_ body: (UnsafeMutablePointer<CChar>) -> cjpeg_status) throws {
    try CodecMessage.checked(format: "JPEG", capacity: Int(CJPEG_MESSAGE_SIZE)) { message in
      switch body(message) {
      case CJPEG_OK: nil
      case CJPEG_UNSUPPORTED: .unsupported
      case CJPEG_TOO_LARGE: .tooLarge
      case CJPEG_NO_MEMORY: .outOfMemory
      default: .malformed
      }
    }
  }
}
