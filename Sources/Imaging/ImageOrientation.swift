/// How the rows of a file lie in the picture as it is meant to be seen.
///
/// - Source: Exif 2.32 section 4.6.4, tag 0x0112; TIFF 6.0 section 8. Raw values are the tag's.
public enum ImageOrientation: Int, Sendable, CaseIterable {
  /// As it is.
  case upright = 1
  /// Left and right are exchanged.
  case mirrored = 2
  /// Turned by half.
  case halfTurn = 3
  /// Top and bottom are exchanged.
  case flipped = 4
  /// Rows and columns are exchanged.
  case transposed = 5
  /// A quarter turn clockwise makes it upright.
  case clockwise = 6
  /// Rows and columns are exchanged, counted from the lower right.
  case transversed = 7
  /// A quarter turn anticlockwise makes it upright.
  case anticlockwise = 8

  /// Whether width and height change places.
  public var exchangesSides: Bool { rawValue >= 5 }

  /// Reads the orientation from an Exif segment.
  ///
  /// What is no valid Exif, or has no valid orientation, is ``upright``: the pixels do not depend on it, and the
  /// segments of many programs are damaged. Nothing else of the segment is looked at.
  ///
  /// - Parameter exif: the segment from its TIFF header on.
  public init(exif: [UInt8]) {
    self = Self.read(exif) ?? .upright
  }

  private static func read(_ exif: [UInt8]) -> ImageOrientation? {
    guard let reader = TIFFNumbers(exif), let directory = reader.wide(at: 4),
      let count = reader.short(at: directory)
    else { return nil }
    for index in 0..<count {
      let entry = directory + 2 + 12 * index
      guard let tag = reader.short(at: entry) else { return nil }
      guard tag == orientationTag else { continue }
      guard reader.short(at: entry + 2) == shortType, reader.wide(at: entry + 4) == 1 else {
        return nil
      }
      return reader.short(at: entry + 8).flatMap(ImageOrientation.init(rawValue:))
    }
    return nil
  }

  private static let orientationTag = 0x0112
  private static let shortType = 3
}
