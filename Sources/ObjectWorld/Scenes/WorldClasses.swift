public import DatasetFormat
public import Generation

/// The classes of a world: what a pack's categories are called, and under which ids they stand in masks.
public struct WorldClasses: Sendable {
  /// The classes with their ids, ascending.
  public let classes: [(id: Int, named: VocabularyClass)]
  /// The class of each of the pack's categories, as a position in ``classes``; nil for a category that is no class.
  let classOfCategory: [Int?]
  /// The pack's categories that are no class.
  public let unknownCategories: [String]

  /// A pack's categories as they are, with ids from 1.
  ///
  /// - Parameters:
  ///   - pack: the pack.
  ///   - grammar: classes whose articles and plurals hold for categories of the same name.
  /// - Throws: `GenerationError` where a name is unusable.
  public init(_ pack: WorldPack, grammar: Vocabulary? = nil) throws {
    let said = Self.byName(grammar)
    try self.init(
      pack,
      classes: pack.categories.enumerated().map { position, name in
        let description = VocabularyClass.Description(name: name).said(as: said[name])
        return (position + 1, try VocabularyClass(description, place: pack.path))
      }, place: pack.path)
  }

  private static func byName(_ vocabulary: Vocabulary?) -> [String: VocabularyClass] {
    Dictionary(
      (vocabulary?.classes ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The classes of a vocabulary, with ids from 1.
  ///
  /// - Throws: `GenerationError` where the pack has none of them.
  public init(_ pack: WorldPack, vocabulary: Vocabulary) throws {
    try self.init(pack, classes: vocabulary.numbered, place: vocabulary.name)
  }

  /// The classes of a table, with its ids.
  ///
  /// - Parameters:
  ///   - pack: the pack.
  ///   - table: the classes.
  ///   - path: the table's file, for messages.
  ///   - grammar: classes whose articles and plurals hold for those of the same name.
  /// - Throws: `GenerationError` where a name is unusable or the pack has none of the classes.
  public init(
    _ pack: WorldPack, table: ClassTable, path: String, grammar: Vocabulary? = nil
  ) throws {
    let said = Self.byName(grammar)
    try self.init(
      pack,
      classes: table.entries.map { entry in
        (entry.id, try VocabularyClass(entry, said: said[entry.name], place: path))
      }, place: path)
  }

  /// Classes with their ids, ascending.
  ///
  /// - Throws: `GenerationError` at `place` where the pack has none of them.
  package init(
    _ pack: WorldPack, classes: [(id: Int, named: VocabularyClass)], place: String
  ) throws {
    self.classes = classes
    // A name comes before another class's alias.
    var positions: [String: Int] = [:]
    for (position, one) in classes.enumerated() {
      for alias in one.named.aliases { positions[alias] = positions[alias] ?? position }
    }
    for (position, one) in classes.enumerated() { positions[one.named.name] = position }
    let classOfCategory = pack.categories.map { positions[$0] }
    self.classOfCategory = classOfCategory
    unknownCategories = zip(pack.categories, classOfCategory).filter { $1 == nil }.map(\.0)
    guard unknownCategories.count < pack.categories.count else {
      throw GenerationError(
        .malformed, place,
        "names none of the \(pack.categories.count) categories of \(pack.path), such as "
          + "\"\(pack.categories.first ?? "")\"")
    }
  }

  /// The ids of the classes that some of the pack's categories are.
  public func ids(of categories: Set<Int>) -> Set<Int> {
    Set(categories.compactMap { classOfCategory[$0].map { classes[$0].id } })
  }

  /// The classes as a run's table has them.
  ///
  /// - Throws: `DatasetError` where a name cannot be written.
  public func table() throws -> ClassTable {
    try ClassTable(classes.map { $0.named.entry(id: $0.id) })
  }
}
