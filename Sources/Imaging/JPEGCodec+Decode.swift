import CJPEG

extension JPEGCodec {
  /// Reads a picture, turned upright as its Exif orientation says unless its pixels are wanted as they are stored.
  ///
  /// - Parameters:
  ///   - bytes: a whole file.
  ///   - keepsGrey: give grey files back as grey instead of RGB.
  ///   - turnsUpright: whether the orientation counts.
  /// - Returns: the picture. Colours are taken as sRGB; profiles are not applied.
  /// - Throws: ``ImagingError`` where the file is malformed, damaged, of an unknown kind or beyond the limits.
  public static func decode(_ bytes: [UInt8], keepsGrey: Bool = false, turnsUpright: Bool = true)
    throws -> PixelImage
  {
    let (header, exif) = try inspect(bytes)
    let channels: PixelImage.Channels = keepsGrey && header.is_grey != 0 ? .grey : .rgb
    let (width, height) = (Int(header.width), Int(header.height))
    var samples = [UInt8](repeating: 0, count: width * height * channels.rawValue)
    try bytes.withUnsafeBufferPointer { file in
      try samples.withUnsafeMutableBufferPointer { pixels in
        try checked {
          cjpeg_decode(
            file.baseAddress, file.count, Int32(channels.rawValue), pixels.baseAddress,
            pixels.count, $0)
        }
      }
    }
    let image = try PixelImage(width: width, height: height, channels: channels, samples: samples)
    return turnsUpright ? image.upright(from: ImageOrientation(exif: exif)) : image
  }

  private static func inspect(_ bytes: [UInt8]) throws -> (header: cjpeg_header, exif: [UInt8]) {
    var header = cjpeg_header()
    var exif = [UInt8](repeating: 0, count: Int(CJPEG_EXIF_LIMIT))
    try bytes.withUnsafeBufferPointer { file in
      try exif.withUnsafeMutableBufferPointer { exif in
        try checked { cjpeg_inspect(file.baseAddress, file.count, &header, exif.baseAddress, $0) }
      }
    }
    return (header, Array(exif[..<header.exif_size]))
  }
}
