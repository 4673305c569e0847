import MaskGrounding

/// What to look for in the samples of a run.
struct SampleEntities {
  private let source: PromptSource
  private let finder: EntityFinder

  /// - Parameters:
  ///   - source: where the prompts come from.
  ///   - names: what to look for where they are written by hand.
  /// - Throws: `EntityError` where a name cannot be one.
  init(_ source: PromptSource, names: [String]) throws {
    self.source = source
    finder = EntityFinder(names.isEmpty ? [] : try EntityList.entities(names))
  }

  /// The entities of a sample: those its template put in, or those given by hand, found in its prompt.
  func entities(of sample: GenerationPlan.Sample) -> [Entity] {
    guard case .vocabulary(let vocabulary, _, _) = source else {
      return finder.located(in: sample.prompt)
    }
    return sample.mentions.map { mention in
      let one = vocabulary.classes[mention.classPosition]
      return Entity(
        name: one.name, classID: mention.classPosition + 1, words: mention.words,
        synonyms: ([one.words] + one.aliases).filter { $0 != mention.words },
        mention: mention.range)
    }
  }
}
