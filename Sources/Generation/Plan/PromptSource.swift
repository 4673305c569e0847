/// Where the prompts of a run come from.
public enum PromptSource: Sendable, Equatable {
  /// Written by hand, taken in turn.
  case prompts([String])
  /// Classes by their weights, put into templates.
  case vocabulary(Vocabulary, TemplateSet, objects: ObjectCounts)
  /// A plan that was written down before.
  case plan(PlanFile)

  /// The classes that samples may name, with their ids, by ascending id; none for prompts written by hand.
  public var classes: [(id: Int, named: VocabularyClass)] {
    switch self {
    case .prompts: []
    case .vocabulary(let vocabulary, _, _): vocabulary.numbered
    case .plan(let plan): plan.classes
    }
  }
}
