/// Hands out the classes of a period's samples, one sample after the other.
///
/// A class of weight w among a total of W is due for the j-th time when n mentions are handed out with n·w/W ≥ j, and
/// may come as soon as n·w/W > j − 1. Whoever is due first comes first, so that after every sample each class has been
/// named n·w/W times, rounded up or down. A class waits for its next turn until the sample is complete: no sample names
/// it twice.
///
/// - Source: the chairman assignment problem (Tijdeman, Discrete Mathematics 32, 1980) for one object a sample. With
///   more it is fair scheduling on several processors; ties go first to the class whose next turn may begin before
///   this one is due (Anderson and Srinivasan, "Mixed Pfair/ERfair scheduling", 2000).
struct AllotmentRun {
  /// A class that may be named now.
  private struct Due: Comparable {
    var deadline: Int
    /// Whether its next turn may begin only later.
    var waits: Bool
    var tie: UInt64
    var position: Int
    var turn: Int

    static func < (a: Due, b: Due) -> Bool {
      (a.deadline, a.waits ? 1 : 0, a.tie, a.position)
        < (b.deadline, b.waits ? 1 : 0, b.tie, b.position)
    }
  }

  /// A class that may be named again once ``release`` mentions are reached.
  private struct Waiting: Comparable {
    var release: Int
    var position: Int
    var turn: Int

    static func < (a: Waiting, b: Waiting) -> Bool {
      (a.release, a.turn, a.position) < (b.release, b.turn, b.position)
    }
  }

  private let quota: ClassQuota
  private let seed: UInt64
  private let period: Int
  private var due = Heap<Due>()
  private var waiting = Heap<Waiting>()
  private var mentions = 0
  private var sample = 0
  private var sizes: [Int] = []
  /// With even weights: each class's rank in the shuffle of a block, for the blocks at hand.
  private var ranks: [Int: [Int]] = [:]

  /// Starts at a period's first sample.
  init(_ quota: ClassQuota, seed: UInt64, period: Int) {
    self.quota = quota
    self.seed = seed
    self.period = period
    for position in quota.active {
      waiting.insert(Waiting(release: 1, position: position, turn: 1))
    }
  }

  /// The classes of the next sample, as positions in the vocabulary.
  mutating func next() -> [Int] {
    let blockLength = quota.objects.blockLength
    if sample % blockLength == 0 {
      let block = period * (quota.samplesOfPeriod / blockLength) + sample / blockLength
      sizes = quota.objects.block(block, run: seed)
    }
    let size = sizes[sample % blockLength]
    mentions += size
    while let first = waiting.min, first.release <= mentions {
      release()
    }
    var picked: [Due] = []
    while picked.count < size {
      if due.min == nil { release() }
      guard let next = due.removeMin() else {
        preconditionFailure("\(size) objects, but only \(picked.count) classes")
      }
      picked.append(next)
    }
    for one in picked {
      waiting.insert(
        Waiting(
          release: quota.release(one.position, turn: one.turn + 1), position: one.position,
          turn: one.turn + 1))
    }
    sample += 1
    // The class with the heavier weight is due earlier; it should not always stand first.
    if !quota.isEven { picked.sort { $0.tie < $1.tie } }
    return picked.map(\.position)
  }

  /// Makes the class that waits for the earliest turn eligible.
  private mutating func release() {
    guard let one = waiting.removeMin() else { return }
    let deadline = quota.deadline(one.position, turn: one.turn)
    due.insert(
      Due(
        deadline: deadline,
        waits: quota.release(one.position, turn: one.turn + 1) > deadline,
        tie: tie(one.position, turn: one.turn), position: one.position, turn: one.turn))
  }

  /// What decides between classes that are due at once.
  private mutating func tie(_ position: Int, turn: Int) -> UInt64 {
    guard quota.isEven else {
      let key = SampleSeed.derive(run: seed, index: UInt64(period), attempt: UInt64(position))
      return SampleSeed.mix(key &+ UInt64(turn))
    }
    if let known = ranks[turn] { return UInt64(known[position]) }
    let block = period * (quota.mentionsOfPeriod / quota.active.count) + turn - 1
    var stream = ChoiceStream(run: seed, purpose: .classOrder, number: block)
    var rank = [Int](repeating: 0, count: quota.classCount)
    for (place, chosen) in stream.permutation(quota.active.count).enumerated() {
      rank[quota.active[chosen]] = place
    }
    ranks = ranks.filter { $0.key >= turn - 1 }
    ranks[turn] = rank
    return UInt64(rank[position])
  }
}
