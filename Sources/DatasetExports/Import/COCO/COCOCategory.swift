/// A category as a COCO file lists it.
public struct COCOCategory: Sendable, Equatable {
  /// Its id; any whole number.
  public let id: Int
  /// Its name; from a stranger, so it may be any text.
  public let name: String
}
