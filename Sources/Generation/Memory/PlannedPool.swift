import TensorCore

/// The buffer pool in figures: what blocks a run takes and keeps, without the blocks.
///
/// It rounds, keeps and gives back as `BufferPool` does, and counts the bytes of a block that were ever written:
/// what the rounding adds is never touched, and so never resident.
final class PlannedPool {
  /// Floats written of the unused blocks, by capacity; the last one is handed out first.
  private var free: [Int: [Int]] = [:]
  /// Capacity of the unused blocks, in bytes.
  private var idleBytes = 0
  /// Bytes resident now.
  private(set) var residentBytes = 0
  /// The highest `residentBytes` so far.
  private(set) var peakBytes = 0

  /// A tensor of some shape, which gives its block back when nobody keeps it.
  func take(_ shape: [Int]) -> PlannedTensor {
    let count = shape.reduce(1, *)
    let capacity = BufferPool.roundedCapacity(count)
    var written = 0
    if let block = free[capacity]?.popLast() {
      written = block
      idleBytes -= 4 * capacity
    }
    residentBytes += 4 * max(0, count - written)
    peakBytes = max(peakBytes, residentBytes)
    return PlannedTensor(
      shape: shape, pool: self, capacity: capacity, written: max(count, written))
  }

  fileprivate func give(_ capacity: Int, written: Int) {
    free[capacity, default: []].append(written)
    idleBytes += 4 * capacity
  }

  /// See `BufferPool.trim(above:)`.
  func trim(above limit: Int = 0) {
    guard idleBytes > limit else { return }
    for blocks in free.values { residentBytes -= 4 * blocks.reduce(0, +) }
    free.removeAll()
    idleBytes = 0
  }
}

/// A tensor without its elements.
final class PlannedTensor {
  /// The length of each axis.
  let shape: [Int]
  private let pool: PlannedPool
  private let capacity: Int
  private let written: Int

  fileprivate init(shape: [Int], pool: PlannedPool, capacity: Int, written: Int) {
    (self.shape, self.pool, self.capacity, self.written) = (shape, pool, capacity, written)
  }

  /// The number of elements.
  var count: Int { shape.reduce(1, *) }

  deinit { pool.give(capacity, written: written) }
}
