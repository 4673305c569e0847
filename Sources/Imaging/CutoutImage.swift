/// A picture with alpha, rows from the top without padding, as its file has it: colours are not multiplied by alpha.
///
/// - Shapes: `samples` [height, width, 4], red, green and blue in sRGB, then alpha, 255 being opaque.
public struct CutoutImage: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// The samples.
  public let samples: [UInt8]
  /// Whether the file has alpha: a channel of it, or a pixel that is not opaque.
  public let hasAlpha: Bool
}
