/// A part of a data set that is used apart from the others.
public enum DatasetSplit: String, Sendable, CaseIterable {
  /// To learn from.
  case train
  /// To choose settings with.
  case val
  /// To measure with, once.
  case test

  /// What Hugging Face calls it.
  var hubName: String { self == .val ? "validation" : rawValue }
}
