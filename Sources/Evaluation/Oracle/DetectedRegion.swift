import DatasetExports

/// A thing that a detector found in a picture.
struct DetectedRegion: Sendable {
  /// Where it is.
  enum Shape: Sendable {
    /// Runs down the columns.
    case runs(RunLengthEncoding)
    /// Polygons whose union it is: x and y in turn.
    case polygons([[Double]])
  }

  /// Its class's id; nil where it counts neither as right nor as wrong, as a crowd does.
  var classID: Int?
  /// How sure the detector is, 1 where it does not say.
  var score: Double
  /// Where it is.
  var shape: Shape

  /// Which pixels it covers, row after row.
  func pixels(width: Int, height: Int) -> [Bool] {
    switch shape {
    case .runs(let runs): return runs.pixels
    case .polygons(let polygons):
      var pixels = [Bool](repeating: false, count: width * height)
      for points in polygons {
        PolygonFilling.fill(points, width: width, height: height, into: &pixels)
      }
      return pixels
    }
  }
}
