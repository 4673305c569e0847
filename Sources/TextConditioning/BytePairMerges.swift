/// The merges of a byte-pair vocabulary, applied best first.
///
/// A queue of candidate merges over a linked list of symbols keeps a word of n bytes at O(n log n), however
/// long it is.
struct BytePairMerges: Sendable {
  /// What a pair of neighbours becomes, and how early.
  struct Merge: Sendable {
    /// Position in the list of merges; lower goes first.
    var rank: UInt32
    /// The id of both together.
    var id: UInt32
  }

  private var merges: [UInt64: Merge] = [:]

  /// Notes a merge; a pair that is listed twice keeps the later place, as in the reference.
  mutating func add(_ first: UInt32, _ second: UInt32, _ merge: Merge) {
    merges[UInt64(first) << 32 | UInt64(second)] = merge
  }

  private func merge(_ first: UInt32, _ second: UInt32) -> Merge? {
    merges[UInt64(first) << 32 | UInt64(second)]
  }

  /// Merges the symbols of one word and calls `emit` with each id that is left and the symbols it stands for.
  func apply(to symbols: [UInt32], emit: (_ id: Int, _ symbolCount: Int) -> Void) {
    let count = symbols.count
    guard count > 1 else {
      for symbol in symbols { emit(Int(symbol), 1) }
      return
    }
    var word = symbols
    var previous = Array(-1..<count - 1)
    var next = Array(1...count)
    next[count - 1] = -1
    var isGone = [Bool](repeating: false, count: count)
    var queue = CandidateQueue()
    for position in 0..<count - 1 {
      if let found = merge(word[position], word[position + 1]) { queue.push(found, position) }
    }
    while let (candidate, position) = queue.pop() {
      guard !isGone[position], next[position] >= 0 else { continue }
      let right = next[position]
      // The neighbours may have changed since this was queued.
      guard merge(word[position], word[right])?.id == candidate.id else { continue }
      word[position] = candidate.id
      isGone[right] = true
      next[position] = next[right]
      if next[position] >= 0 { previous[next[position]] = position }
      let left = previous[position]
      if left >= 0, let found = merge(word[left], word[position]) { queue.push(found, left) }
      let after = next[position]
      if after >= 0, let found = merge(word[position], word[after]) { queue.push(found, position) }
    }
    for position in 0..<count where !isGone[position] {
      emit(Int(word[position]), (next[position] < 0 ? count : next[position]) - position)
    }
  }
}

/// A binary heap of merges to try, lowest rank first, then leftmost.
private struct CandidateQueue {
  private struct Entry {
    var rank: UInt32
    var id: UInt32
    var position: Int

    func precedes(_ other: Entry) -> Bool {
      (rank, position) < (other.rank, other.position)
    }
  }

  private var heap: [Entry] = []

  mutating func push(_ merge: BytePairMerges.Merge, _ position: Int) {
    let entry = Entry(rank: merge.rank, id: merge.id, position: position)
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entry.precedes(heap[parent]) else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = entry
  }

  mutating func pop() -> (merge: BytePairMerges.Merge, position: Int)? {
    guard let top = heap.first, let last = heap.popLast() else { return nil }
    if !heap.isEmpty {
      var parent = 0
      while true {
        var child = 2 * parent + 1
        if child >= heap.count { break }
        if child + 1 < heap.count && heap[child + 1].precedes(heap[child]) { child += 1 }
        guard heap[child].precedes(last) else { break }
        heap[parent] = heap[child]
        parent = child
      }
      heap[parent] = last
    }
    return (BytePairMerges.Merge(rank: top.rank, id: top.id), top.position)
  }
}
