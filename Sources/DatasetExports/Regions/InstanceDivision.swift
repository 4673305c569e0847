/// What counts as one instance of a class in a picture.
public enum InstanceDivision: String, Sendable, CaseIterable {
  /// All pixels of a class: a prompt names an object once.
  case entity
  /// Each piece of a class whose pixels touch at edges or corners; pieces below a two-thousandth of the picture count
  /// to the class's largest.
  case parts

  /// The least share of a picture that makes a piece an instance of its own.
  static let leastShare = 1.0 / 2000
}
