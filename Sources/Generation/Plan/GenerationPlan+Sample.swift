extension GenerationPlan {
  /// A class as a prompt names it.
  public struct Mention: Sendable, Equatable {
    /// The class's position in the plan's vocabulary, from 0; its id is one more.
    public let classPosition: Int
    /// The words as the prompt says them, without article, number and adjective: "mugs" of "two old mugs".
    public let words: String
    /// How many the prompt asks for.
    public let count: Int
    /// Where ``words`` stand, in bytes of the prompt's UTF-8.
    public let range: Range<Int>

    /// Describes a mention.
    public init(classPosition: Int, words: String, count: Int, range: Range<Int>) {
      self.classPosition = classPosition
      self.words = words
      self.count = count
      self.range = range
    }
  }

  /// One sample to make.
  public struct Sample: Sendable, Equatable {
    /// Its number.
    public let index: Int
    /// Its prompt.
    public let prompt: String
    /// The classes the prompt names, in its order; empty for a prompt written by hand.
    public let mentions: [Mention]
    /// The template the prompt was made from, as its file has it; empty for a prompt written by hand.
    public let template: String

    /// The classes it names, as positions in the vocabulary.
    public var classes: [Int] { mentions.map(\.classPosition) }

    /// Describes a sample.
    public init(index: Int, prompt: String, mentions: [Mention] = [], template: String = "") {
      self.index = index
      self.prompt = prompt
      self.mentions = mentions
      self.template = template
    }
  }
}
