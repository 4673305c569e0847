/// An annotation of a COCO file: a region of a picture with its category, its pixels not read yet.
public struct COCORegion: Sendable, Equatable {
  /// Its id; nil where it has none.
  public let id: Int?
  /// Its place in the list, from 0.
  public let position: Int
  /// Its category's id.
  public let categoryID: Int
  /// Whether it stands for a crowd: pixels to ignore.
  public let isCrowd: Bool
  /// How sure a detector is of it, as it says itself; nil where nobody does.
  public let score: Double?
  /// Where in the file its segmentation is written.
  let segmentation: Range<Int>

  /// How messages name it.
  public var name: String { id.map { "annotation \($0)" } ?? "annotation at place \(position)" }
}
