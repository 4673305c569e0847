import CKernels
import Synchronization

/// The threads that compute.
///
/// Work is cut into numbered pieces that any thread may take in any order; no operation's result depends on who took
/// which. There is one pool, used by one caller at a time: a second caller, or a piece that itself asks for help, does
/// its pieces alone.
public enum Parallel {
  private static let current = Mutex<WorkerPool>(WorkerPool(threads: defaultThreadCount))

  /// The processor's cores that this process may use.
  public static var defaultThreadCount: Int { ck_core_count() }

  /// How many threads compute, the caller's included.
  ///
  /// - Precondition: set to 1 or more, while nothing computes.
  public static var threadCount: Int {
    get { current.withLock { $0.threads } }
    set {
      precondition(newValue >= 1, "thread count \(newValue) must be at least 1")
      current.withLock { pool in
        if pool.threads != newValue {
          pool.stop()
          pool = WorkerPool(threads: newValue)
        }
      }
    }
  }

  /// What `body` makes of each of `0..<count`, in order; any thread may make any of them.
  ///
  /// - Throws: what `body` throws for the lowest number that it throws for.
  package static func map<T>(_ count: Int, _ body: (Int) throws -> T) throws -> [T] {
    var results = [Result<T, any Error>?](repeating: nil, count: count)
    results.withUnsafeMutableBufferPointer { buffer in
      let out = buffer
      forEach(count) { piece, _ in out[piece] = Result { try body(piece) } }
    }
    return try results.enumerated().map { piece, result in
      guard let result else { preconditionFailure("piece \(piece) of \(count) was not made") }
      return try result.get()
    }
  }

  /// Calls `body` with every piece in `0..<pieces` and a block of scratch memory that belongs to the calling thread
  /// for the length of that piece.
  static func forEach(
    _ pieces: Int, scratch: Int = 0,
    _ body: (_ piece: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) {
    let pool = current.withLock { $0 }
    pool.run(pieces, scratch: scratch, body)
  }

  /// Cuts `0..<count` into runs of at least `grain` and calls `body` with each.
  static func forRanges(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    guard count > grain else {
      if count > 0 { body(0..<count) }
      return
    }
    let pieces = (count + grain - 1) / grain
    forEach(pieces) { piece, _ in
      body(piece * grain..<min(count, (piece + 1) * grain))
    }
  }
}
