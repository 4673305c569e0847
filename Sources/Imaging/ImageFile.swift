#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A picture in a file, PNG or JPEG.
public enum ImageFile {
  /// The largest file that is read, in bytes: twice what 8192 x 8192 pixels of RGB take.
  public static let byteLimit = 2 * 3 * PixelImage.sideLimit * PixelImage.sideLimit

  /// Reads a picture; what it is, its first bytes say, not its name.
  ///
  /// Grey becomes RGB, 16 bits are cut to the upper 8, what shines through is white, a JPEG is turned upright as its
  /// Exif orientation says. Colours are taken as sRGB; profiles are not applied.
  ///
  /// - Parameter path: a regular file; links are followed.
  /// - Returns: an RGB picture.
  /// - Throws: ``ImagingError`` with the path where the file is missing, unreadable, no picture, damaged or too large.
  public static func read(_ path: String) throws -> PixelImage {
    let bytes = try contents(of: path)
    do {
      return try decode(bytes)
    } catch let error as ImagingError {
      throw ImagingError(error.code, "\(path): \(error.message)")
    }
  }

  /// Reads a mask: a palette or grey PNG, or a grey TIFF, whose values are ids.
  ///
  /// - Parameter path: a regular file; links are followed.
  /// - Returns: the mask; the highest value of 8 or 16 bits has become ``LabelMask/ignored``.
  /// - Throws: ``ImagingError`` with the path where the file is missing, unreadable, no mask, damaged or too large.
  public static func readMask(_ path: String) throws -> LabelMask {
    let bytes = try contents(of: path)
    do {
      return try TIFFCodec.isTIFF(bytes)
        ? TIFFCodec.decodeMask(bytes) : PNGCodec.decodeMask(bytes).pixels
    } catch let error as ImagingError {
      throw ImagingError(
        error.code, "\(path): \(error.message); expected a mask, a palette or grey PNG or TIFF")
    }
  }

  /// Reads a picture from the bytes of a file, as ``read(_:)`` does.
  ///
  /// - Parameters:
  ///   - bytes: a whole file.
  ///   - turnsUpright: whether a JPEG's Exif orientation counts.
  /// - Returns: an RGB picture.
  /// - Throws: ``ImagingError`` where the bytes are no picture, damaged or too large.
  public static func decode(_ bytes: [UInt8], turnsUpright: Bool = true) throws -> PixelImage {
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
      return try PNGCodec.decodeOnWhite(bytes)
    }
    if bytes.starts(with: [0xff, 0xd8]) {
      return try JPEGCodec.decode(bytes, turnsUpright: turnsUpright)
    }
    guard !bytes.isEmpty else {
      throw ImagingError(.malformed, "an empty file; expected a PNG or a JPEG")
    }
    throw ImagingError(.malformed, "neither a PNG nor a JPEG; expected one of the two")
  }

  private static func contents(of path: String) throws -> [UInt8] {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw ImagingError(.missingFile, "\"\(path)\" is not a file name")
    }
    // A pipe without a writer must not hang the program.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw ImagingError(
        isMissing ? .missingFile : .unreadable, "\(path): cannot be opened: \(systemText())")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw ImagingError(.unreadable, "\(path): its size cannot be read: \(systemText())")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw ImagingError(
        .unreadable, "\(path): is \(isFolder ? "a folder" : "no regular file"); expected a picture")
    }
    guard status.st_size <= byteLimit else {
      throw ImagingError(
        .tooLarge, "\(path): has \(status.st_size) bytes; at most \(byteLimit) are read")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled, off_t(filled))
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw ImagingError(.unreadable, "\(path): cannot be read: \(systemText())")
      }
      guard count > 0 else {
        throw ImagingError(
          .unreadable, "\(path): ended at byte \(filled) of \(bytes.count) while it was read")
      }
      filled += count
    }
    return bytes
  }

  private static func systemText() -> String { String(cString: strerror(errno)) }
}
