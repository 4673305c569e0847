/// The samples of a run, numbered from 0; each is a function of the run's seed and its number.
///
/// Classes come in blocks as long as the vocabulary, each a shuffle of it, so that among the first n samples no
/// class is named more than once oftener than another. With several objects this holds for each place in the
/// sentence, and the objects of one sample are distinct.
public struct GenerationPlan: Sendable, Equatable {
  /// The most samples of a run: file names have nine digits.
  public static let countLimit = 1_000_000_000
  /// The most objects of a sample.
  public static let objectLimit = 4

  /// Where prompts come from.
  public let source: PromptSource
  /// The number of samples.
  public let count: Int
  /// The run's seed.
  public let seed: UInt64

  /// Plans a run.
  ///
  /// - Throws: ``GenerationError`` where the counts are out of range or the templates do not take the objects.
  public init(source: PromptSource, count: Int, seed: UInt64) throws {
    guard 1...Self.countLimit ~= count else {
      throw GenerationError(
        .usage, "--count", "found \(count), expected 1 to \(Self.countLimit)")
    }
    switch source {
    case .prompts(let prompts):
      guard !prompts.isEmpty else { throw GenerationError(.usage, "--prompt", "none is given") }
    case .vocabulary(let vocabulary, let templates, let objects):
      guard objects.lowerBound >= 1, objects.upperBound <= Self.objectLimit else {
        throw GenerationError(
          .usage, "--objects",
          "found \(objects.lowerBound)-\(objects.upperBound), expected within 1-\(Self.objectLimit)"
        )
      }
      guard objects.upperBound <= vocabulary.classes.count else {
        throw GenerationError(
          .usage, "--objects",
          "\(objects.upperBound) objects, but the vocabulary has \(vocabulary.classes.count) class(es)"
        )
      }
      if objects.upperBound > 1,
        let single = templates.templates.first(where: { !$0.takesManyObjects })
      {
        throw GenerationError(
          .usage, "--objects",
          "the template \"\(single.text)\" takes one object; use templates with {objects}, such as simple"
        )
      }
    }
    self.source = source
    self.count = count
    self.seed = seed
  }

  /// Sample `index`.
  public func sample(_ index: Int) -> Sample {
    precondition(0..<count ~= index, "sample \(index) of \(count)")
    switch source {
    case .prompts(let prompts):
      return Sample(index: index, prompt: prompts[index % prompts.count])
    case .vocabulary(let vocabulary, let templates, let objects):
      let chosen = classes(index, among: vocabulary.classes.count, objects: objects)
      let (template, prompt) = templates.prompt(
        chosen, of: vocabulary.classes, run: seed, index: index)
      return Sample(
        index: index, prompt: prompt.text, mentions: prompt.mentions, template: template.text)
    }
  }

  /// The seed of an attempt at sample `index`.
  public func sampleSeed(_ index: Int, attempt: Int) -> UInt64 {
    SampleSeed.derive(run: seed, index: UInt64(index), attempt: UInt64(attempt))
  }

  private func classes(_ index: Int, among size: Int, objects: ClosedRange<Int>) -> [Int] {
    let block = index / size
    var orderStream = ChoiceStream(run: seed, purpose: .classOrder, number: block)
    let order = orderStream.permutation(size)
    // Further objects stand at fixed distances in the block's shuffle, so each of them is balanced as the first.
    var offsetStream = ChoiceStream(run: seed, purpose: .classOffset, number: block)
    let offsets = [0] + offsetStream.permutation(size - 1).map { $0 + 1 }
    var countStream = ChoiceStream(run: seed, purpose: .objectCount, number: index)
    let count = objects.lowerBound + countStream.next(below: objects.count)
    return (0..<count).map { order[(index % size + offsets[$0]) % size] }
  }
}
