import DatasetFormat
import MaskGrounding

/// Finds which classes of a table a prompt names.
struct NamedClasses {
  /// Every class, as something to ask for.
  let entities: [Entity]
  private let finder: EntityFinder

  init(_ table: ClassTable) {
    entities = table.entries.map {
      Entity(name: $0.name, classID: $0.id, words: $0.name, synonyms: $0.aliases)
    }
    finder = EntityFinder(entities)
  }

  /// The classes that a prompt names, each with its words there; its name and its aliases are synonyms of those.
  func located(in prompt: String) -> [Entity] {
    finder.located(in: prompt).filter(\.isNamed).map { entity in
      var entity = entity
      entity.synonyms = ([entity.name] + entity.synonyms).filter { $0 != entity.words }
      return entity
    }
  }

  /// Their ids.
  func ids(in prompt: String) -> Set<Int> { Set(located(in: prompt).map(\.classID)) }
}
