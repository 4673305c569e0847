/// The samples of a run, numbered from 0; each is a function of the run's seed and its number.
///
/// Among the first n samples, every class has been named as often as its weight's share of all mentions says, rounded
/// up or down: without weights no class more than once oftener than another. The objects of one sample are distinct.
public struct GenerationPlan: Sendable, Equatable {
  /// The most samples of a run: file names have nine digits.
  public static let countLimit = 1_000_000_000
  /// The most objects of a sample.
  public static let objectLimit = 4

  /// Where prompts come from.
  public let source: PromptSource
  /// The number of samples.
  public let count: Int
  /// The run's seed; 0 for a plan that was written down, whose samples have theirs.
  public let seed: UInt64
  private let allotment: ClassAllotment?

  /// Whether two plans make the same samples of the same source.
  public static func == (a: GenerationPlan, b: GenerationPlan) -> Bool {
    a.source == b.source && a.count == b.count && a.seed == b.seed
  }

  /// Plans a run.
  ///
  /// - Throws: ``GenerationError`` where the counts are out of range or the templates do not take the objects.
  public init(source: PromptSource, count: Int, seed: UInt64) throws {
    guard 1...Self.countLimit ~= count else {
      throw GenerationError(
        .usage, "--count", "found \(count), expected 1 to \(Self.countLimit)")
    }
    var allotment: ClassAllotment?
    switch source {
    case .prompts(let prompts):
      guard !prompts.isEmpty else { throw GenerationError(.usage, "--prompt", "none is given") }
    case .vocabulary(let vocabulary, let templates, let objects):
      if objects.most > 1,
        let single = templates.templates.first(where: { !$0.takesManyObjects })
      {
        throw GenerationError(
          .usage, "--objects",
          "the template \"\(single.text)\" takes one object; use templates with {objects}, such as simple"
        )
      }
      let quota = try ClassQuota(vocabulary, objects: objects)
      guard !quota.isEndless || count <= ClassQuota.endlessLimit else {
        throw GenerationError(
          .usage, "--count",
          "found \(count); with these weights at most \(ClassQuota.endlessLimit) samples can be planned; use rounder "
            + "weights")
      }
      allotment = ClassAllotment(quota, seed: seed)
    case .plan(let plan):
      guard count <= plan.samples.count else {
        throw GenerationError(
          .usage, "--count", "found \(count), but \(plan.path) has \(plan.samples.count) samples")
      }
    }
    self.source = source
    self.count = count
    self.seed = seed
    self.allotment = allotment
  }

  /// Sample `index`.
  public func sample(_ index: Int) -> Sample {
    precondition(0..<count ~= index, "sample \(index) of \(count)")
    switch source {
    case .prompts(let prompts):
      return Sample(index: index, prompt: prompts[index % prompts.count])
    case .vocabulary(let vocabulary, let templates, _):
      let (template, prompt) = templates.prompt(
        allotment?.classes(index) ?? [], of: vocabulary.classes, run: seed, index: index)
      return Sample(
        index: index, prompt: prompt.text, mentions: prompt.mentions, template: template.text)
    case .plan(let plan): return plan.samples[index]
    }
  }

  /// The seed of an attempt at sample `index`.
  public func sampleSeed(_ index: Int, attempt: Int) -> UInt64 {
    guard case .plan(let plan) = source else {
      return SampleSeed.derive(run: seed, index: UInt64(index), attempt: UInt64(attempt))
    }
    return SampleSeed.retry(plan.seeds[index], attempt: UInt64(attempt))
  }

  /// How many samples name each class, by ascending id; a sample names a class once.
  public func classCounts() -> [(name: String, count: Int)] {
    if let allotment {
      let counts = allotment.counts(count)
      return source.classes.map { ($0.named.name, counts[$0.id - 1]) }
    }
    var counts: [Int: Int] = [:]
    if case .plan(let plan) = source {
      for sample in plan.samples.prefix(count) {
        for position in sample.classes { counts[position + 1, default: 0] += 1 }
      }
    }
    return source.classes.map { ($0.named.name, counts[$0.id, default: 0]) }
  }
}
