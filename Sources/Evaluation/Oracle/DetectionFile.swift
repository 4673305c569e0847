public import DatasetFormat
import Generation
public import Imaging

/// What a detector found in the pictures of a run, as COCO writes it.
///
/// Either a whole file (`images`, `categories`, `annotations`) or a list of results. Pictures go by the names of their
/// files without folder and end; in a list of results, by `image_id`, the sample's number plus 1. Categories go by name or
/// alias in any letter case; in a list of results, by `category_id`, the run's class id. Regions are polygons, runs, or
/// compressed runs. All regions of a class above the least score are one; where classes overlap the surer one is in
/// front, of equally sure ones the smaller one. What is marked `iscrowd` is ignored where nothing else is.
///
/// - Source: the format pages of COCO (data and results).
public struct DetectionFile: Sendable {
  /// The largest file that is read, in bytes.
  public static let byteLimit = 1 << 30

  /// The file, for messages.
  public let path: String
  /// The run's classes that the detector knows.
  public let knownClasses: Set<Int>
  /// What the detector says it is worth itself, as ``RunLabeller`` notes it; nil where it says nothing.
  public let ownIoU: Double?
  private let sizes: [Int: (width: Int, height: Int)]
  private let regions: [Int: [DetectedRegion]]

  /// Reads a file and holds it against a run.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - classes: the run's classes.
  ///   - pictures: the number of each sample that there is, and its size.
  ///   - leastScore: what is less sure is left out.
  /// - Throws: `GenerationError`, `DatasetError` or `ExportError` naming the entry that breaks a rule: no JSON, other
  ///   pictures than there are, another size, an unknown category, runs that do not fill the picture.
  public init(
    path: String, classes: ClassTable, pictures: [Int: (width: Int, height: Int)],
    leastScore: Double
  ) throws {
    let reader = try DetectionReader(
      path: path, classes: classes, pictures: pictures, leastScore: leastScore,
      bytes: FileAccess.bytes(of: path, limit: Self.byteLimit))
    self.path = path
    knownClasses = reader.knownClasses
    ownIoU = reader.ownIoU
    sizes = pictures
    regions = reader.regions
  }

  /// The mask of a sample: all that was found in it.
  ///
  /// - Throws: `ImagingError` where its size is out of a picture's range.
  /// - Precondition: the run has the sample.
  public func mask(ofSample index: Int) throws -> LabelMask {
    guard let (width, height) = sizes[index] else {
      preconditionFailure("sample \(index) is none of the pictures of \(path)")
    }
    let drawn = (regions[index] ?? []).map { region in
      let pixels = region.pixels(width: width, height: height)
      return (region: region, pixels: pixels, area: pixels.count(where: { $0 }))
    }.enumerated().sorted { first, second in
      let (a, b) = (first.element, second.element)
      if (a.region.classID == nil) != (b.region.classID == nil) { return a.region.classID == nil }
      if a.region.score != b.region.score { return a.region.score < b.region.score }
      return a.area != b.area ? a.area > b.area : first.offset < second.offset
    }
    var ids = [UInt16](repeating: LabelMask.background, count: width * height)
    for (_, one) in drawn {
      let id = one.region.classID.map { UInt16($0) } ?? LabelMask.ignored
      for place in ids.indices where one.pixels[place] { ids[place] = id }
    }
    return try LabelMask(width: width, height: height, ids: ids)
  }
}
