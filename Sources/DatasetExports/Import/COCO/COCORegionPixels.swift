/// What the pixels of a COCO annotation turned out to be.
public struct COCORegionPixels: Sendable, Equatable {
  /// The pixels; nil where there are none.
  public let encoding: RunLengthEncoding?
  /// What could not be taken: outlines that enclose nothing, counts that are none, and the like.
  public let problems: [String]
}
