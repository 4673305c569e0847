/// Where the prompts of a run come from.
public enum PromptSource: Sendable, Equatable {
  /// Written by hand, taken in turn.
  case prompts([String])
  /// Classes in balance, put into templates.
  case vocabulary(Vocabulary, TemplateSet, objects: ClosedRange<Int>)
}
