import Synchronization

/// How weights are kept and multiplied.
public enum Precision: String, Sendable, CaseIterable {
  /// Weights and products in float, whatever the file holds.
  case exact
  /// Weights of 16 bits stay so, and products are in bfloat16 with sums in float where the level has them (see
  /// ``KernelLevel/multipliesBFloat16``); all else stays in float.
  case `default`

  private static let chosen = Mutex<Precision>(.exact)
  @TaskLocal private static var forced: Precision?

  /// The precision that weights are packed for and attention runs in: exact unless another was chosen.
  public static var selected: Precision { forced ?? chosen.withLock { $0 } }

  /// Uses this precision in the whole process from now on; weights packed before keep theirs.
  public func select() { Self.chosen.withLock { $0 = self } }

  /// Uses this precision for what `body` does on the calling thread.
  public func scoped<R>(_ body: () throws -> R) rethrows -> R {
    try Self.$forced.withValue(self, operation: body)
  }
}
