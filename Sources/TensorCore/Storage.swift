/// A 64-byte aligned block of floats, owned by one or more tensors.
///
/// Blocks come from ``BufferPool`` and go back to it, so that a loop that makes the same shapes again and
/// again (a denoising step) asks the system for memory only the first time.
///
/// A block is written only while its first tensor is being made (``Tensor/init(shape:fill:)``) or by its
/// one owner; after that it is immutable. That is what makes the unchecked `Sendable` true.
final class Storage: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  let capacity: Int

  /// Takes a block of at least `count` floats, uninitialised, from the pool.
  init(count: Int) {
    let block = BufferPool.shared.take(count: count)
    pointer = block.pointer
    capacity = block.capacity
  }

  deinit {
    BufferPool.shared.give(pointer, capacity: capacity)
  }
}

/// Calls `body` with `count` pooled floats, uninitialised, that live until it returns.
func withPooledFloats<R>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> R) -> R {
  let storage = Storage(count: count)
  return withExtendedLifetime(storage) { body(storage.pointer) }
}

/// Calls `body` with `count` pooled doubles, uninitialised, that live until it returns.
func withPooledDoubles<R>(_ count: Int, _ body: (UnsafeMutablePointer<Double>) -> R) -> R {
  withPooledFloats(2 * count) { floats in
    floats.withMemoryRebound(to: Double.self, capacity: count) { body($0) }
  }
}
