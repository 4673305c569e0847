import DatasetFormat

/// A data set in some layout, to be read picture by picture in an order that depends on its names alone.
protocol ImportSource {
  /// The classes.
  var classes: ClassTable { get }
  /// Pictures that are listed.
  var count: Int { get }
  /// What cannot be taken of the lists.
  var faults: [ImportFault] { get }
  /// Reads a picture.
  ///
  /// - Throws: ``ImportFault`` where it cannot be taken; `DatasetError` where the disk fails.
  func picture(_ position: Int) throws -> ImportedPicture
}
