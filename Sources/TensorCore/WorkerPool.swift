import CKernels
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A fixed set of threads that share one job at a time.
///
/// A step of a small model is hundreds of jobs of some ten microseconds, so idle workers first spin for about that
/// long and only then sleep. The caller works too and never waits for a worker that has not joined in.
final class WorkerPool: @unchecked Sendable {
  private typealias Body = (Int, UnsafeMutablePointer<Float>) -> Void

  let threads: Int
  // A job: written by the caller while it is closed, read by workers that found it open.
  private var body: Body?
  private var pieces = 0
  private let next = Atomic<Int>(0)
  private let isOpen = Atomic<Bool>(false)
  private let generation = Atomic<Int>(0)
  private let inside = Atomic<Int>(0)

  private let isBusy = Atomic<Bool>(false)
  private let isStopping = Atomic<Bool>(false)
  private let sleeping = Atomic<Int>(0)
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var workers: [pthread_t] = []
  private var scratch: [Storage]

  /// How often an idle thread looks before it sleeps: about 50 µs.
  private static let spins = 2000

  init(threads: Int) {
    self.threads = threads
    scratch = (0..<threads).map { _ in Storage(count: 0) }
    pthread_mutex_init(lock, nil)
    pthread_cond_init(wake, nil)
    for worker in 1..<max(threads, 1) { start(worker) }
  }

  private func start(_ worker: Int) {
    let context = Unmanaged.passRetained(WorkerStart(pool: self, index: worker))
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let status = pthread_create(
      &thread, nil,
      { argument in
        #if canImport(Darwin)
          let start = Unmanaged<WorkerStart>.fromOpaque(argument).takeRetainedValue()
        #else
          guard let argument else { return nil }
          let start = Unmanaged<WorkerStart>.fromOpaque(argument).takeRetainedValue()
        #endif
        start.pool.work(as: start.index)
        return nil
      }, context.toOpaque())
    guard status == 0 else {
      // Fewer threads compute the same bytes, only slower.
      context.release()
      return
    }
    #if canImport(Darwin)
      if let thread { workers.append(thread) }
    #else
      workers.append(thread)
    #endif
  }

  /// Ends the threads; the pool computes alone afterwards.
  func stop() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    pthread_mutex_lock(lock)
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(lock)
    for worker in workers { pthread_join(worker, nil) }
    workers.removeAll()
  }

  deinit {
    pthread_mutex_destroy(lock)
    pthread_cond_destroy(wake)
    lock.deallocate()
    wake.deallocate()
  }

  func run(
    _ pieces: Int, scratch floats: Int, _ body: (Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    guard pieces > 0 else { return }
    let isFree = !isBusy.exchange(true, ordering: .acquiring)
    guard isFree else {
      // Nested, or another thread's job is under way: alone, with scratch of its own.
      return withPooledFloats(floats) { own in
        for piece in 0..<pieces { body(piece, own) }
      }
    }
    defer { isBusy.store(false, ordering: .releasing) }
    for worker in 0..<threads where scratch[worker].capacity < floats {
      scratch[worker] = Storage(count: floats)
    }
    guard pieces > 1, threads > 1 else {
      for piece in 0..<pieces { body(piece, scratch[0].pointer) }
      return
    }
    withoutActuallyEscaping(body) { escaping in
      self.body = escaping
      self.pieces = pieces
      next.store(0, ordering: .relaxed)
      generation.add(1, ordering: .relaxed)
      isOpen.store(true, ordering: .sequentiallyConsistent)
      if sleeping.load(ordering: .sequentiallyConsistent) > 0 {
        pthread_mutex_lock(lock)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(lock)
      }
      takePieces(escaping, scratch[0].pointer)
      isOpen.store(false, ordering: .sequentiallyConsistent)
      var turns = 0
      while inside.load(ordering: .sequentiallyConsistent) > 0 {
        turns += 1
        if turns < Self.spins { ck_pause() } else { sched_yield() }
      }
      self.body = nil
    }
  }

  private func takePieces(_ body: Body, _ scratch: UnsafeMutablePointer<Float>) {
    while true {
      let piece = next.add(1, ordering: .relaxed).oldValue
      guard piece < pieces else { return }
      body(piece, scratch)
    }
  }

  private func work(as worker: Int) {
    var seen = 0
    while !isStopping.load(ordering: .relaxed) {
      waitForJob(after: seen)
      inside.add(1, ordering: .sequentiallyConsistent)
      if isOpen.load(ordering: .sequentiallyConsistent) {
        seen = generation.load(ordering: .relaxed)
        if let body { takePieces(body, scratch[worker].pointer) }
      }
      inside.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  private func waitForJob(after seen: Int) {
    for _ in 0..<Self.spins {
      if hasJob(after: seen) { return }
      ck_pause()
    }
    pthread_mutex_lock(lock)
    sleeping.add(1, ordering: .sequentiallyConsistent)
    while !hasJob(after: seen) { pthread_cond_wait(wake, lock) }
    sleeping.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(lock)
  }

  private func hasJob(after seen: Int) -> Bool {
    if isStopping.load(ordering: .sequentiallyConsistent) { return true }
    return isOpen.load(ordering: .sequentiallyConsistent)
      && generation.load(ordering: .relaxed) != seen
  }
}

private final class WorkerStart {
  let pool: WorkerPool
  let index: Int

  init(pool: WorkerPool, index: Int) {
    self.pool = pool
    self.index = index
  }
}
