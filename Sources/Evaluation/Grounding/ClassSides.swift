public import DatasetFormat
public import GroundingTraining

/// The classes of an evaluation and their sides of the split.
public struct ClassSides: Sendable {
  /// The classes.
  public let table: ClassTable
  /// The ids of those that were labelled in training.
  public let seen: Set<Int>
  /// The ids of those that never were.
  public let unseen: Set<Int>

  /// Reads the sides off a table.
  public init(_ table: ClassTable) {
    self.table = table
    seen = Set(table.entries.filter { $0.split == .seen }.map(\.id))
    unseen = Set(table.entries.filter { $0.split == .unseen }.map(\.id))
  }

  /// Reads the sides off the classes of a training.
  ///
  /// - Throws: `DatasetError` where a name cannot be written.
  public init(_ classes: TrainingClasses) throws { self.init(try classes.table()) }
}
