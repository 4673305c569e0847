public import Imaging

/// What pixels may be called.
public struct SegmenterLabel: Sendable, Equatable {
  /// The number in masks: 0 for what is none of the others, else 1 to 65534.
  public let id: Int
  /// The name in results.
  public let name: String
  /// What is said to the segmenter; a label of several words has the mean of their features.
  public let words: [String]
  /// The colour in masks and overlays.
  public let colour: Colour
}
