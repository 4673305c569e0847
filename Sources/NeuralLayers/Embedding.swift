public import Checkpoints
public import TensorCore

/// A table of vectors looked up by index.
///
/// - Shapes: T ids → [T, D].
/// - Weights: `weight` [V, D].
/// - Source: `torch.nn.Embedding`.
public struct Embedding: Sendable {
  /// The table [V, D].
  public let table: Tensor

  /// Takes the table [V, D].
  public init(_ table: Tensor) { self.table = table }

  /// Reads the table.
  ///
  /// - Throws: `CheckpointError` with the full key if it is absent or misshapen.
  public init(_ weights: WeightScope, count: Int, width: Int) throws {
    table = try weights.tensor("weight", [count, width])
  }

  /// The vectors of `ids`.
  ///
  /// - Precondition: every id is in 0..<V.
  public func callAsFunction(_ ids: [Int]) -> Tensor { gatheredRows(table, ids) }
}
