/// Finds where a prompt names entities.
///
/// Words are sought whole, in any letter case, in singular and plural, with any white space between them. At each
/// place the longest wording wins ("hot dog" before "dog"), an entity's words before another's synonyms of the same
/// length; what a longer wording covers counts for no other.
public struct EntityFinder: Sendable {
  /// A place where a prompt names an entity.
  public struct Mention: Sendable, Equatable {
    /// Which of the finder's entities.
    public var index: Int
    /// Where, in bytes of the prompt's UTF-8.
    public var range: Range<Int>
    /// The words there, as the prompt has them.
    public var words: String
  }

  /// The entities sought.
  public let entities: [Entity]

  /// A finder of entities by their words and synonyms.
  public init(_ entities: [Entity]) {
    self.entities = entities
  }

  /// Every place where a prompt names one, in order.
  public func mentions(in prompt: String) -> [Mention] { [] }

  /// All entities in their order, with the first place the prompt names each at and the words it has there;
  /// ``Entity/mention`` is nil for those it does not name.
  public func located(in prompt: String) -> [Entity] { entities }
}
