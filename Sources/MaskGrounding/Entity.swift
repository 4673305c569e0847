/// Something to find in a picture: a class, and the words that mean it.
public struct Entity: Sendable, Equatable {
  /// The class's name.
  public var name: String
  /// The class's id in masks, 1 to 65534.
  public var classID: Int
  /// The words that mean it: those of the prompt where the prompt names it.
  public var words: String
  /// Other words for the same; a query may be averaged over them.
  public var synonyms: [String]
  /// Where the prompt says ``words``, in bytes of its UTF-8; nil where it does not name the entity.
  public var mention: Range<Int>?

  /// Describes an entity.
  public init(
    name: String, classID: Int, words: String, synonyms: [String] = [], mention: Range<Int>? = nil
  ) {
    self.name = name
    self.classID = classID
    self.words = words
    self.synonyms = synonyms
    self.mention = mention
  }

  /// Whether the prompt names it.
  public var isNamed: Bool { mention != nil }
}
