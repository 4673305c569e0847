public import Imaging

/// How the values of masks in files become ids of classes.
public struct MaskValues: Sendable, Equatable {
  /// The value of the class with the id 1: 1 where 0 is no class, 0 where all values are classes.
  public var first: Int
  /// A value that is ignored beside the highest one of the file's depth; nil for none.
  public var ignored: Int?

  /// Describes values.
  ///
  /// - Precondition: `first` is 0 or 1.
  public init(first: Int = 1, ignored: Int? = nil) {
    precondition(0...1 ~= first, "the first class's value \(first)")
    (self.first, self.ignored) = (first, ignored)
  }

  /// The mask with ids in place of values.
  public func ids(of mask: LabelMask) -> LabelMask {
    guard first == 0 || ignored != nil else { return mask }
    return mask.relabelled { value in
      if value == LabelMask.ignored || Int(value) == ignored { return LabelMask.ignored }
      return first == 0 ? value + 1 : value
    }
  }
}
