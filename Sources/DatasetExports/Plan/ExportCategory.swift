public import DatasetFormat
public import Imaging

/// A class as a data set numbers it: 1, 2, 3 and so on in the order of the run's ids.
public struct ExportCategory: Sendable, Equatable {
  /// The number, from 1.
  public let id: Int
  /// The class's id in the run's masks.
  public let classID: Int
  /// The name.
  public let name: String
  /// Other words for the same.
  public let aliases: [String]
  /// The colour in pictures of masks.
  public let colour: Colour
  /// Seen or unseen.
  public let split: ClassTable.Split

  /// Numbers the classes of a run.
  static func numbered(_ classes: ClassTable) -> [ExportCategory] {
    classes.entries.enumerated().map { position, entry in
      ExportCategory(
        id: position + 1, classID: entry.id, name: entry.name, aliases: entry.aliases,
        colour: entry.colour, split: entry.split)
    }
  }
}
