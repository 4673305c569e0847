public import DatasetFormat

extension ClassTable {
  /// The classes with their ids, as prompts say them.
  ///
  /// - Parameters:
  ///   - path: the table's file or run, for messages.
  ///   - grammar: classes whose articles and plurals hold for those of the same name.
  /// - Returns: the classes, by ascending id.
  /// - Throws: ``GenerationError`` where a name is unusable.
  public func classes(
    path: String, grammar: [String: VocabularyClass] = [:]
  ) throws -> [(id: Int, named: VocabularyClass)] {
    try entries.map { entry in
      let split: VocabularyClass.Split =
        switch entry.split {
        case .seen: .seen
        case .unseen: .unseen
        case .none: .undecided
        }
      let description = VocabularyClass.Description(
        name: entry.name, aliases: entry.aliases, split: split
      ).said(as: grammar[entry.name])
      return (entry.id, try VocabularyClass(description, place: path))
    }
  }
}
