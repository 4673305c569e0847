import CanonicalJSON
import DatasetExports
public import DatasetFormat
import Generation
public import Imaging

/// What a detector found in the pictures of a run, as COCO writes it.
///
/// Either a whole file (`images`, `categories`, `annotations`) or a list of results. Pictures go by the names of their
/// files without folder and end; in a list of results, by `image_id`, the sample's number plus 1. Categories go by name or
/// alias in any letter case; in a list of results, by `category_id`, the run's class id. All regions of a class from the
/// least score on are one; where classes overlap the surer one is in front, of equally sure ones the smaller one. What is
/// marked `iscrowd` is ignored where nothing else is.
///
/// - Source: the format pages of COCO (data and results).
public struct DetectionFile: Sendable {
  /// A thing that was found.
  private struct Region {
    /// Its class's id; nil where it counts neither as right nor as wrong, as a crowd does.
    var classID: Int?
    var score: Double
    var runs: RunLengthEncoding
  }

  /// The file, for messages.
  public let path: String
  /// The run's classes that the detector knows.
  public let knownClasses: Set<Int>
  /// What the detector says it is worth itself, as ``RunLabeller`` notes it; nil where it says nothing.
  public let ownIoU: Double?
  private let pictures: [Int: (width: Int, height: Int)]
  private let leastScore: Double
  private var regions: [Int: [Region]] = [:]

  /// Reads a file and holds it against a run.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - classes: the run's classes.
  ///   - pictures: the number of each sample of the run, and its size.
  ///   - chosen: the samples whose masks will be asked for.
  ///   - leastScore: what is less sure is left out.
  /// - Throws: `GenerationError` or `ExportError` naming the entry that breaks a rule: no JSON, other pictures than there
  ///   are, another size, an unknown category, runs that do not fill the picture.
  public init(
    path: String, classes: ClassTable, pictures: [Int: (width: Int, height: Int)],
    chosen: Set<Int>, leastScore: Double
  ) throws {
    let bytes = try FileAccess.bytes(of: path, limit: COCOAnnotationFile.byteLimit)
    let isList = bytes.first { ![9, 10, 13, 32].contains($0) } == UInt8(ascii: "[")
    let file = try COCOAnnotationFile(
      bytes: isList ? Self.whole(bytes, classes, pictures) : bytes, path: path)
    if let fault = file.faults.first {
      throw GenerationError(.malformed, fault.place, fault.problem)
    }
    (self.path, self.pictures, self.leastScore) = (path, pictures, leastScore)
    ownIoU = isList ? nil : RunLabeller.ownIoU(in: bytes)
    let ids = Self.ids(classes)
    let classOfCategory = Dictionary(
      uniqueKeysWithValues: file.categories.map { ($0.id, ids[$0.name.lowercased()]) })
    knownClasses = Set(classOfCategory.values.compactMap(\.self))
    guard !knownClasses.isEmpty else {
      throw GenerationError(
        .malformed, path,
        "none of its \(file.categories.count) categories is a class of the run, such as "
          + "\"\(classes.entries.first?.name ?? "")\"; give the categories the names of classes.tsv"
      )
    }
    var listed: Set<Int> = []
    for image in file.images {
      let index = try sample(of: image)
      listed.insert(index)
      if chosen.contains(index) { try add(file, image, index, classOfCategory) }
    }
    if let missing = chosen.subtracting(listed).min() {
      throw GenerationError(
        .malformed, path,
        "does not list the picture \(ExportSample.name(of: missing)); label all pictures of the run"
      )
    }
  }

  /// The mask of a sample: all that was found in it.
  ///
  /// - Throws: `ImagingError` where its size is out of a picture's range.
  /// - Precondition: the run has the sample.
  public func mask(ofSample index: Int) throws -> LabelMask {
    guard let (width, height) = pictures[index] else {
      preconditionFailure("sample \(index) is none of the pictures of \(path)")
    }
    let drawn = (regions[index] ?? []).enumerated().sorted { first, second in
      let (a, b) = (first.element, second.element)
      if (a.classID == nil) != (b.classID == nil) { return a.classID == nil }
      if a.score != b.score { return a.score < b.score }
      return a.runs.area != b.runs.area ? a.runs.area > b.runs.area : first.offset < second.offset
    }
    var ids = [UInt16](repeating: LabelMask.background, count: width * height)
    for (_, region) in drawn {
      let id = region.classID.map { UInt16($0) } ?? LabelMask.ignored
      for (place, isInside) in region.runs.pixels.enumerated() where isInside { ids[place] = id }
    }
    return try LabelMask(width: width, height: height, ids: ids)
  }

  private mutating func add(
    _ file: COCOAnnotationFile, _ image: COCOImage, _ index: Int, _ classOfCategory: [Int: Int?]
  ) throws {
    for region in file.regions(of: image) {
      let place = "\(path), \(region.name)"
      let score = region.score ?? 1
      guard (0...1).contains(score) else {
        throw GenerationError(
          .malformed, place, "has the score \(score), expected a number from 0 to 1")
      }
      let read = file.pixels(of: region, in: image)
      guard let runs = read.encoding, read.problems.isEmpty else {
        throw GenerationError(
          .malformed, place, read.problems.first ?? "has an empty mask; remove the entry")
      }
      let classID = classOfCategory[region.categoryID] ?? nil
      guard score >= leastScore, classID != nil || region.isCrowd else { continue }
      regions[index, default: []].append(
        Region(classID: region.isCrowd ? nil : classID, score: score, runs: runs))
    }
  }

  private func sample(of image: COCOImage) throws -> Int {
    let name = image.fileName.split(separator: "/").last ?? ""
    let stem = name.prefix { $0 != "." }
    let place = "\(path), image \(image.id)"
    guard let index = Int(stem), index >= 0, ExportSample.name(of: index) == stem,
      let size = pictures[index]
    else {
      throw GenerationError(
        .malformed, place,
        "is \(JSONError.excerpt(of: image.fileName)), which is no picture of the run; give the oracle's labels of this "
          + "run, or the run that was labelled")
    }
    guard (image.width, image.height) == size else {
      throw GenerationError(
        .malformed, place,
        "has \(image.width) x \(image.height) pixels, the picture has \(size.width) x \(size.height); label the "
          + "pictures at their own size")
    }
    return index
  }

  /// The run's classes by name and alias, in small letters; a name comes before another class's alias.
  private static func ids(_ classes: ClassTable) -> [String: Int] {
    var ids: [String: Int] = [:]
    for entry in classes.entries {
      for alias in entry.aliases { ids[alias.lowercased()] = ids[alias.lowercased()] ?? entry.id }
    }
    for entry in classes.entries { ids[entry.name.lowercased()] = entry.id }
    return ids
  }

  /// A list of results as a whole file: with the run's own pictures and classes.
  private static func whole(
    _ results: [UInt8], _ classes: ClassTable, _ pictures: [Int: (width: Int, height: Int)]
  ) -> [UInt8] {
    let images = pictures.sorted { $0.key < $1.key }.map { index, size -> JSONValue in
      [
        "id": .integer(Int64(ExportSample.imageID(of: index))),
        "file_name": .string(ExportSample.name(of: index)), "width": .integer(Int64(size.width)),
        "height": .integer(Int64(size.height)),
      ]
    }
    let categories = classes.entries.map { entry -> JSONValue in
      ["id": .integer(Int64(entry.id)), "name": .string(entry.name)]
    }
    let head =
      "{\"images\":\(JSONValue.array(images).text),\"categories\":\(JSONValue.array(categories).text),\"annotations\":"
    return Array(head.utf8) + results + Array("}".utf8)
  }
}
