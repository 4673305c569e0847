/// How often each class of a vocabulary is to be named, and after how many samples that begins anew.
struct ClassQuota: Sendable, Equatable {
  /// The most mentions of a period; longer ones are taken for endless.
  static let periodLimit = 1 << 22
  /// The most samples of a run whose period is endless.
  static let endlessLimit = 10_000_000

  let objects: ObjectCounts
  /// The positions of the classes that are named at all.
  let active: [Int]
  /// Whether all of these have the same weight.
  let isEven: Bool
  /// Mentions and samples of a period; without an end both are as large as they may be.
  let mentionsOfPeriod: Int
  let samplesOfPeriod: Int
  private let weights: [Int]
  private let total: Int

  /// Classes of the vocabulary, named or not.
  var classCount: Int { weights.count }
  /// Whether the period has no end to speak of.
  var isEndless: Bool { samplesOfPeriod == .max }

  /// Works out the quota of weights, which may be 0 for classes that are not to be named.
  ///
  /// - Throws: ``GenerationError`` where a sample would have to name a class twice.
  init(_ vocabulary: Vocabulary, objects: ObjectCounts) throws {
    let divisor = vocabulary.weights.reduce(0, greatestCommonDivisor)
    guard divisor > 0 else {
      throw GenerationError(.usage, "--class-weights", "no class of the vocabulary is to be named")
    }
    weights = vocabulary.weights.map { $0 / divisor }
    active = weights.indices.filter { [weights] in weights[$0] > 0 }
    total = weights.reduce(0, +)
    isEven = total == active.count
    self.objects = objects
    guard objects.most <= active.count else {
      throw GenerationError(
        .usage, "--objects",
        "\(objects.most) objects, but \(active.count) class(es) to name: a prompt names a class once"
      )
    }
    for position in active where weights[position] > total / objects.most {
      let share = 100 * Double(weights[position]) / Double(total)
      throw GenerationError(
        .usage, "--class-weights",
        "\"\(vocabulary.classes[position].name)\" has \((share * 10).rounded() / 10) % of the weight; with "
          + "\(objects.most) objects in a prompt, each class once, it can have \(100 / objects.most) % at most"
      )
    }
    let blockTotal = objects.blockTotal
    let blocks = total / greatestCommonDivisor(total, blockTotal)
    let (mentions, isTooLong) = blocks.multipliedReportingOverflow(by: blockTotal)
    if isTooLong || mentions > Self.periodLimit {
      (mentionsOfPeriod, samplesOfPeriod) = (.max, .max)
    } else {
      (mentionsOfPeriod, samplesOfPeriod) = (mentions, blocks * objects.blockLength)
    }
  }

  /// How many mentions, the one at hand counted, must be reached before a class may come for the `turn`-th time.
  func release(_ position: Int, turn: Int) -> Int { (turn - 1) * total / weights[position] + 1 }

  /// How many mentions may be reached, the one at hand counted, until it must have come.
  func deadline(_ position: Int, turn: Int) -> Int {
    (turn * total + weights[position] - 1) / weights[position]
  }

  /// How often a period names a class.
  ///
  /// - Precondition: the period has an end.
  func mentions(of position: Int) -> Int {
    precondition(!isEndless, "quota of an endless period")
    return mentionsOfPeriod / total * weights[position]
  }
}
