import MaskGrounding

/// What to look for in the samples of a run.
struct SampleEntities {
  /// The classes that samples may name, by id; none for prompts written by hand.
  private let classes: [Int: VocabularyClass]
  private let finder: EntityFinder

  /// - Parameters:
  ///   - source: where the prompts come from.
  ///   - names: what to look for where they are written by hand.
  /// - Throws: `EntityError` where a name cannot be one.
  init(_ source: PromptSource, names: [String]) throws {
    classes = Dictionary(
      source.classes.map { ($0.id, $0.named) }, uniquingKeysWith: { first, _ in first })
    finder = EntityFinder(names.isEmpty ? [] : try EntityList.entities(names))
  }

  /// The entities of a sample: those its template put in, or those given by hand, found in its prompt.
  func entities(of sample: GenerationPlan.Sample) -> [Entity] {
    guard !classes.isEmpty else { return finder.located(in: sample.prompt) }
    return sample.mentions.map { mention in
      let id = mention.classPosition + 1
      guard let one = classes[id] else {
        preconditionFailure("sample \(sample.index) names class \(id), which the run does not have")
      }
      return Entity(
        name: one.name, classID: id, words: mention.words,
        synonyms: ([one.words] + one.aliases).filter { $0 != mention.words },
        mention: mention.range)
    }
  }
}
