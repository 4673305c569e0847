import CKernels
import Synchronization

/// Where the time goes, by kind of operation.
///
/// Nothing is kept unless ``recording(_:)`` runs; then each operation of the process adds its time from outside, all
/// its threads together. Outside of it an operation reads one flag.
public enum OperationProfile {
  /// A kind of operation.
  public enum Kind: String, Sendable, CaseIterable {
    case convolution = "convolution"
    case depthwise = "depthwise convolution"
    case linear = "linear, 1×1"
    case attention = "attention"
    case groupNorm = "group norm"
    case layerNorm = "layer norm"
    case geglu = "GEGLU"
    case activation = "activation"
    case sum = "sum"
    case resizing = "resizing"
    case joining = "copy, join"
  }

  /// The operations of one kind and arithmetic.
  public struct Entry: Sendable {
    /// What they are.
    public var kind: Kind
    /// Whether their products are in bfloat16.
    public var isNarrow: Bool
    /// How many ran.
    public var calls = 0
    /// What they took, one after another.
    public var seconds = 0.0
    /// Multiplications and additions of their products; 0 for kinds without.
    public var operations = 0.0
  }

  fileprivate static let isRecording = Atomic<Bool>(false)
  private static let entries = Mutex<[Entry]>([])

  /// Runs `body` and tells what it spent its time on, most first.
  ///
  /// - Precondition: nothing else is being recorded.
  public static func recording(_ body: () throws -> Void) rethrows -> [Entry] {
    let wasRecording = isRecording.exchange(true, ordering: .acquiringAndReleasing)
    precondition(!wasRecording, "operations are being recorded already")
    entries.withLock { $0.removeAll() }
    defer { isRecording.store(false, ordering: .releasing) }
    try body()
    return entries.withLock { $0.sorted { $0.seconds > $1.seconds } }
  }

  fileprivate static func add(_ entry: Entry) {
    entries.withLock { entries in
      let known = entries.firstIndex { $0.kind == entry.kind && $0.isNarrow == entry.isNarrow }
      guard let known else { return entries.append(entry) }
      entries[known].calls += entry.calls
      entries[known].seconds += entry.seconds
      entries[known].operations += entry.operations
    }
  }
}

/// The time of one operation, if times are kept.
struct OperationTiming {
  private let kind: OperationProfile.Kind
  private let start: ContinuousClock.Instant?

  /// Starts.
  init(_ kind: OperationProfile.Kind) {
    self.kind = kind
    start = OperationProfile.isRecording.load(ordering: .relaxed) ? .now : nil
  }

  /// Ends: the operation took so many multiplications and additions in products, in bfloat16 where `isNarrow`.
  func end(operations: Double = 0, isNarrow: Bool = false) {
    guard let start else { return }
    OperationProfile.add(
      .init(
        kind: kind, isNarrow: isNarrow, calls: 1, seconds: (.now - start) / .seconds(1),
        operations: operations))
  }
}

extension KernelLevel {
  /// Multiplications and additions per second that all threads together do in registers at this level: what no
  /// operation can exceed.
  ///
  /// - Parameter isNarrow: in bfloat16 where the level has it, else in float.
  /// - Returns: the best of a few runs of some ten milliseconds.
  public func measuredPeak(isNarrow: Bool) -> Double {
    let (threads, kernels) = (Parallel.threadCount, kernels)
    let clock = ContinuousClock()
    func run(_ turns: Int) -> (operations: Double, seconds: Double) {
      let operations = Mutex(0.0)
      let time = clock.measure {
        Parallel.forEach(threads) { _, _ in
          let done = ck_peak_operations(kernels, isNarrow ? 1 : 0, turns)
          operations.withLock { $0 += done }
        }
      }
      return (operations.withLock { $0 }, time / .seconds(1))
    }
    var turns = 1000
    while run(turns).seconds < 0.01 && turns < 1 << 32 { turns *= 2 }
    return (0..<5).map { _ in run(turns) }.map { $0.operations / $0.seconds }.max() ?? 0
  }
}
