import Synchronization

/// Which classes each sample of a run names: a function of the run's seed and the sample's number.
///
/// After the first n samples every class has been named as often as its weight's share of all mentions says, rounded
/// up or down; with even weights no class more than once oftener than another. Samples come in periods that do not
/// depend on each other, so that one of a billion is found at once. The samples around the last one asked for are
/// remembered.
final class ClassAllotment: Sendable {
  private static let chunkLength = 1024

  private struct Memory {
    var run: AllotmentRun
    var period: Int
    /// The first sample of ``rows`` in its period.
    var start = 0
    var rows: [[Int]] = []
  }

  let quota: ClassQuota
  private let seed: UInt64
  private let memory: Mutex<Memory>

  init(_ quota: ClassQuota, seed: UInt64) {
    self.quota = quota
    self.seed = seed
    memory = Mutex(Memory(run: AllotmentRun(quota, seed: seed, period: 0), period: 0))
  }

  /// The classes of a sample, as positions in the vocabulary.
  func classes(_ index: Int) -> [Int] {
    let (period, place) = index.quotientAndRemainder(dividingBy: quota.samplesOfPeriod)
    return memory.withLock { memory in
      if memory.period != period || place < memory.start {
        memory = Memory(run: AllotmentRun(quota, seed: seed, period: period), period: period)
      }
      while place >= memory.start + memory.rows.count {
        memory.start += memory.rows.count
        let left = quota.samplesOfPeriod - memory.start
        memory.rows = (0..<min(Self.chunkLength, left)).map { _ in memory.run.next() }
      }
      return memory.rows[place - memory.start]
    }
  }

  /// How often the first `count` samples name each class of the vocabulary.
  func counts(_ count: Int) -> [Int] {
    let (periods, rest) = count.quotientAndRemainder(dividingBy: quota.samplesOfPeriod)
    var counts = [Int](repeating: 0, count: quota.classCount)
    if periods > 0 {
      for position in quota.active { counts[position] = periods * quota.mentions(of: position) }
    }
    var run = AllotmentRun(quota, seed: seed, period: periods)
    for _ in 0..<rest {
      for position in run.next() { counts[position] += 1 }
    }
    return counts
  }
}
