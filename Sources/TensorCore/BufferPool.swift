import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Keeps freed float blocks by size and hands them out again.
///
/// Sizes are rounded up so that nearly equal requests share blocks: to 64 floats below 16 Ki floats, above
/// that to an eighth of the next lower power of two (at most 12.5 % unused).
public final class BufferPool: Sendable {
  /// The pool every tensor uses.
  public static let shared = BufferPool()

  /// What the pool has done so far.
  public struct Statistics: Sendable {
    /// Blocks asked from the system since the start; constant in a steady loop.
    public var systemAllocations = 0
    /// Bytes held now, by tensors and in the pool.
    public var heldBytes = 0
    /// Bytes in use by tensors now.
    public var usedBytes = 0
    /// The highest `usedBytes` so far.
    public var peakUsedBytes = 0
  }

  private struct State {
    var free: [Int: [UInt]] = [:]
    var statistics = Statistics()
  }

  private let state = Mutex(State())

  private init() {}

  /// What the pool has done so far.
  public var statistics: Statistics { state.withLock { $0.statistics } }

  /// Gives the unused blocks back to the system, if they are more than `limit` bytes in all.
  ///
  /// For the seams between phases that use other sizes: after loading, between sampling and decoding. A loop that
  /// trims each time would ask the system each time.
  public func trim(above limit: Int = 0) {
    let blocks = state.withLock { state in
      guard state.statistics.heldBytes - state.statistics.usedBytes > limit else {
        return [(UInt, Int)]()
      }
      let blocks = state.free.flatMap { capacity, blocks in blocks.map { ($0, capacity) } }
      state.free.removeAll()
      for (_, capacity) in blocks { state.statistics.heldBytes -= capacity * 4 }
      return blocks
    }
    for (address, _) in blocks { free(UnsafeMutableRawPointer(bitPattern: address)) }
  }

  func take(count: Int) -> (pointer: UnsafeMutablePointer<Float>, capacity: Int) {
    let capacity = Self.roundedCapacity(count)
    let reused: UInt? = state.withLock { state in
      state.statistics.usedBytes += capacity * 4
      state.statistics.peakUsedBytes = max(
        state.statistics.peakUsedBytes, state.statistics.usedBytes)
      if let address = state.free[capacity]?.popLast() { return address }
      state.statistics.systemAllocations += 1
      state.statistics.heldBytes += capacity * 4
      return nil
    }
    if let reused, let pointer = UnsafeMutablePointer<Float>(bitPattern: reused) {
      return (pointer, capacity)
    }
    var raw: UnsafeMutableRawPointer?
    let status = posix_memalign(&raw, 64, capacity * 4)
    guard status == 0, let raw else {
      // Swift itself aborts on a failed allocation; this says how much was asked for.
      fatalError("out of memory: \(capacity * 4) bytes for a tensor")
    }
    return (raw.bindMemory(to: Float.self, capacity: capacity), capacity)
  }

  func give(_ pointer: UnsafeMutablePointer<Float>, capacity: Int) {
    state.withLock { state in
      state.statistics.usedBytes -= capacity * 4
      state.free[capacity, default: []].append(UInt(bitPattern: pointer))
    }
  }

  /// The floats of the block that `count` floats get.
  public static func roundedCapacity(_ count: Int) -> Int {
    let wanted = max(count, 64)
    let step: Int
    if wanted <= 1 << 14 {
      step = 64
    } else {
      let power = Int.bitWidth - 1 - (wanted - 1).leadingZeroBitCount
      step = 1 << (power - 3)
    }
    return (wanted + step - 1) / step * step
  }
}
