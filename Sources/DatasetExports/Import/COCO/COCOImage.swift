/// A picture as a COCO file lists it.
public struct COCOImage: Sendable, Equatable {
  /// Its id.
  public let id: Int
  /// Pixels in a row, 1 to `PixelImage.sideLimit`.
  public let width: Int
  /// Rows, 1 to `PixelImage.sideLimit`.
  public let height: Int
  /// Its file's name; from a stranger, so it may be any text.
  public let fileName: String
  /// What it shows, where the entry says so under `prompt`, as this program writes it.
  public let prompt: String?
}
