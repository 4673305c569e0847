import CPNG

extension PNGCodec {
  /// Reads a picture; palettes are resolved, alpha is dropped, 16 bits are cut to the upper 8.
  ///
  /// - Parameters:
  ///   - bytes: a whole file.
  ///   - keepsGrey: give grey files back as grey instead of RGB.
  /// - Returns: the picture with the file's texts.
  /// - Throws: ``ImagingError`` where the file is malformed, animated or beyond the limits.
  public static func decodeImage(
    _ bytes: [UInt8], keepsGrey: Bool = false
  ) throws -> PNGContents<PixelImage> {
    let header = try inspect(bytes)
    let isGrey = header.color_type & 2 == 0
    let channels: PixelImage.Channels = keepsGrey && isGrey ? .grey : .rgb
    let (width, height) = (Int(header.width), Int(header.height))
    var samples = [UInt8](repeating: 0, count: width * height * channels.rawValue)
    let layout = channels == .grey ? CPNG_LAYOUT_GREY8 : CPNG_LAYOUT_RGB8
    let (palette, texts) = try samples.withUnsafeMutableBytes { pixels in
      try decode(bytes, layout: layout, into: pixels)
    }
    let image = try PixelImage(width: width, height: height, channels: channels, samples: samples)
    return PNGContents(
      pixels: image, palette: palette, texts: texts.map { .init(keyword: $0.0, text: $0.1) })
  }

  /// Reads a picture as it looks on white paper: what is transparent shows white.
  ///
  /// - Parameter bytes: a whole file.
  /// - Returns: an RGB picture; 16 bits are cut to the upper 8.
  /// - Throws: ``ImagingError`` where the file is malformed, animated or beyond the limits.
  public static func decodeOnWhite(_ bytes: [UInt8]) throws -> PixelImage {
    let cutout = try decodeCutout(bytes)
    var samples: [UInt8] = []
    samples.reserveCapacity(cutout.width * cutout.height * 3)
    for start in stride(from: 0, to: cutout.samples.count, by: 4) {
      let alpha = Int(cutout.samples[start + 3])
      for channel in 0..<3 {
        let mixed = Int(cutout.samples[start + channel]) * alpha + 255 * (255 - alpha)
        samples.append(UInt8((2 * mixed + 255) / 510))
      }
    }
    return try PixelImage(
      width: cutout.width, height: cutout.height, channels: .rgb, samples: samples)
  }

  /// Reads a picture with its alpha.
  ///
  /// - Parameters:
  ///   - bytes: a whole file.
  ///   - sideLimit: the longest side that is unpacked, in pixels.
  /// - Returns: the picture; 16 bits are cut to the upper 8, what has no alpha is opaque.
  /// - Throws: ``ImagingError`` where the file is malformed, animated or beyond the limits.
  public static func decodeCutout(
    _ bytes: [UInt8], sideLimit: Int = PixelImage.sideLimit
  ) throws -> CutoutImage {
    let header = try inspect(bytes)
    let (width, height) = (Int(header.width), Int(header.height))
    guard max(width, height) <= sideLimit else {
      throw ImagingError(
        .tooLarge, "PNG: \(width) x \(height) pixels; at most \(sideLimit) a side are read here")
    }
    var pixels = [UInt8](repeating: 0, count: width * height * 4)
    _ = try pixels.withUnsafeMutableBytes {
      try decode(bytes, layout: CPNG_LAYOUT_RGBA8, into: $0)
    }
    // A palette or a single colour may be marked transparent, too.
    let hasAlpha =
      header.color_type & 4 != 0
      || stride(from: 3, to: pixels.count, by: 4).contains { pixels[$0] < 255 }
    return CutoutImage(width: width, height: height, samples: pixels, hasAlpha: hasAlpha)
  }

  /// Reads a mask as ``encode(_:depth:text:)-(LabelMask,_,_)`` writes it, or 8-bit grey ids.
  ///
  /// - Parameter bytes: a whole file.
  /// - Returns: the mask with the file's palette and texts.
  /// - Throws: ``ImagingError`` where the file is malformed, beyond the limits or no picture of ids.
  public static func decodeMask(_ bytes: [UInt8]) throws -> PNGContents<LabelMask> {
    let header = try inspect(bytes)
    let (width, height) = (Int(header.width), Int(header.height))
    let ids: [UInt16]
    let palette: [Colour]
    let texts: [(String, String)]
    if header.bit_depth == 16 {
      var wide = [UInt16](repeating: 0, count: width * height)
      (palette, texts) = try wide.withUnsafeMutableBytes { pixels in
        try decode(bytes, layout: CPNG_LAYOUT_GREY16, into: pixels)
      }
      ids = wide
    } else {
      var narrow = [UInt8](repeating: 0, count: width * height)
      (palette, texts) = try narrow.withUnsafeMutableBytes { pixels in
        try decode(bytes, layout: CPNG_LAYOUT_INDEX8, into: pixels)
      }
      ids = narrow.map { $0 == 255 ? LabelMask.ignored : UInt16($0) }
    }
    let mask = try LabelMask(width: width, height: height, ids: ids)
    return PNGContents(
      pixels: mask, palette: palette, texts: texts.map { .init(keyword: $0.0, text: $0.1) })
  }

  private static func inspect(_ bytes: [UInt8]) throws -> cpng_header {
    var header = cpng_header()
    try bytes.withUnsafeBufferPointer { buffer in
      try checked { cpng_inspect(buffer.baseAddress, buffer.count, &header, $0) }
    }
    return header
  }

  private static func decode(
    _ bytes: [UInt8], layout: cpng_layout, into pixels: UnsafeMutableRawBufferPointer
  ) throws -> (palette: [Colour], texts: [(String, String)]) {
    var extras = cpng_extras()
    try bytes.withUnsafeBufferPointer { buffer in
      try checked {
        cpng_decode(
          buffer.baseAddress, buffer.count, layout, pixels.baseAddress, pixels.count, &extras, $0)
      }
    }
    defer { cpng_extras_free(&extras) }
    let count = Int(extras.palette_count)
    let palette = withUnsafeBytes(of: extras.palette) { raw in
      (0..<count).map { Colour(raw[3 * $0], raw[3 * $0 + 1], raw[3 * $0 + 2]) }
    }
    let texts = try UnsafeBufferPointer(start: extras.texts, count: Int(extras.text_count)).map {
      (latin1($0.keyword), try text(of: $0))
    }
    return (palette, texts)
  }

  private static func text(of chunk: cpng_text) throws -> String {
    guard chunk.is_utf8 != 0 else { return latin1(chunk.text) }
    let bytes = UnsafeRawBufferPointer(start: chunk.text, count: chunk.text_size)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ImagingError(.malformed, "PNG: an iTXt chunk is not valid UTF-8")
    }
    return text
  }

  private static func latin1(_ pointer: UnsafePointer<CChar>?) -> String {
    guard let pointer else { return "" }
    var scalars = String.UnicodeScalarView()
    var index = 0
    while pointer[index] != 0 {
      scalars.append(Unicode.Scalar(UInt8(bitPattern: pointer[index])))
      index += 1
    }
    return String(scalars)
  }
}
