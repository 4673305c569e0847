/// Which part of a pack scenes are made of.
public enum WorldSubset: String, Sendable, CaseIterable {
  /// What is not held out.
  case train
  /// What is held out, and nothing else.
  case test
}
