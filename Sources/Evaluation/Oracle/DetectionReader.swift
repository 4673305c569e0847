import CanonicalJSON
import DatasetExports
import DatasetFormat
import Generation

/// Reads ``DetectionFile``s.
struct DetectionReader {
  private(set) var knownClasses: Set<Int> = []
  private(set) var regions: [Int: [DetectedRegion]] = [:]
  private(set) var ownIoU: Double?

  private let path: String
  private let pictures: [Int: (width: Int, height: Int)]
  private let leastScore: Double
  /// The sample of each `image_id`.
  private var samples: [Int: Int] = [:]
  /// The class of each `category_id`; nil for categories that are none of the run's.
  private var classOfCategory: [Int: Int?] = [:]

  init(
    path: String, classes: ClassTable, pictures: [Int: (width: Int, height: Int)],
    leastScore: Double, bytes: [UInt8]
  ) throws {
    (self.path, self.pictures, self.leastScore) = (path, pictures, leastScore)
    let json: JSONValue
    do {
      json = try JSONValue.parse(bytes)
    } catch {
      throw GenerationError(.malformed, path, "is no JSON: \(error)")
    }
    if let results = json.elements {
      for index in pictures.keys { samples[ExportSample.imageID(of: index)] = index }
      for entry in classes.entries { classOfCategory[entry.id] = .some(entry.id) }
      knownClasses = Set(classes.entries.map(\.id))
      try readRegions(results, what: "result")
    } else {
      let file = try RecordFields(
        json, path: path, what: "file", keys: ["images", "categories", "annotations"],
        ignoresOthers: true)
      ownIoU = json["info"]?[RunLabeller.ownIoUKey]?.number
      try readImages(try file.array("images"))
      try readCategories(try file.array("categories"), classes)
      try readRegions(try file.array("annotations"), what: "annotation")
    }
  }

  private func fields(_ json: JSONValue, _ what: String, _ keys: [String]) throws -> RecordFields {
    try RecordFields(json, path: path, what: what, keys: keys, ignoresOthers: true)
  }

  private func malformed(_ message: String) -> GenerationError {
    GenerationError(.malformed, path, message)
  }

  private mutating func readImages(_ images: [JSONValue]) throws {
    for (number, json) in images.enumerated() {
      let what = "image \(number)"
      let image = try fields(json, what, ["id", "file_name", "width", "height"])
      let id = try image.whole("id")
      let name = try image.string("file_name")
      guard let index = Self.sample(named: name), let size = pictures[index] else {
        throw malformed(
          "\(what) is \(JSONError.excerpt(of: name)), which is no picture of the run; give the oracle's labels of "
            + "this run, or the run that was labelled")
      }
      let found = (width: try image.whole("width"), height: try image.whole("height"))
      guard found == size else {
        throw malformed(
          "\(what), \(JSONError.excerpt(of: name)), has \(found.width) x \(found.height) pixels, the picture has "
            + "\(size.width) x \(size.height); label the pictures at their own size")
      }
      guard samples.updateValue(index, forKey: id) == nil else {
        throw malformed("\(what) has the id \(id), which another image has")
      }
    }
    let listed = Set(samples.values)
    if let missing = pictures.keys.sorted().first(where: { !listed.contains($0) }) {
      throw malformed(
        "does not list the picture \(ExportSample.name(of: missing)); label all pictures of the run, or choose fewer "
          + "with --count")
    }
  }

  /// The sample of a file's name: digits with any folder before and any end behind.
  private static func sample(named name: String) -> Int? {
    let file = name.split(separator: "/").last ?? ""
    let stem = file.prefix { $0 != "." }
    guard let index = Int(stem), index >= 0, ExportSample.name(of: index) == stem else {
      return nil
    }
    return index
  }

  private mutating func readCategories(_ categories: [JSONValue], _ classes: ClassTable) throws {
    var ids: [String: Int] = [:]
    for entry in classes.entries {
      for alias in entry.aliases { ids[alias.lowercased()] = ids[alias.lowercased()] ?? entry.id }
    }
    for entry in classes.entries { ids[entry.name.lowercased()] = entry.id }
    for (number, json) in categories.enumerated() {
      let category = try fields(json, "category \(number)", ["id", "name"])
      let name = try category.string("name")
      let id = ids[name.lowercased()]
      guard classOfCategory.updateValue(id, forKey: try category.whole("id")) == nil else {
        throw malformed("category \(number), \(JSONError.excerpt(of: name)), has an id twice used")
      }
      if let id { knownClasses.insert(id) }
    }
    guard !knownClasses.isEmpty else {
      throw malformed(
        "none of its \(categories.count) categories is a class of the run, such as "
          + "\"\(classes.entries.first?.name ?? "")\"; give the categories the names of classes.tsv"
      )
    }
  }

  private mutating func readRegions(_ entries: [JSONValue], what: String) throws {
    for (number, json) in entries.enumerated() {
      let what = "\(what) \(number)"
      let entry = try fields(json, what, ["image_id", "category_id", "segmentation"])
      let image = try entry.whole("image_id")
      guard let index = samples[image], let size = pictures[index] else {
        throw malformed("\(what) is of the image \(image), which is not there")
      }
      let category = try entry.whole("category_id")
      guard let known = classOfCategory[category] else {
        throw malformed("\(what) is of the category \(category), which is not there")
      }
      let score = json["score"] == nil ? 1 : try entry.number("score")
      guard (0...1).contains(score) else {
        throw try entry.fault("score", expected: "a number from 0 to 1")
      }
      let isCrowd = json["iscrowd"] == 1
      let shape = try shape(entry, what, size)
      guard score >= leastScore, known != nil || isCrowd else { continue }
      regions[index, default: []].append(
        DetectedRegion(classID: isCrowd ? nil : known, score: score, shape: shape))
    }
  }

  private func shape(
    _ entry: RecordFields, _ what: String, _ size: (width: Int, height: Int)
  ) throws -> DetectedRegion.Shape {
    let json = try entry.value("segmentation")
    let place = "\(path), \(what)"
    if let polygons = json.elements {
      return .polygons(
        try polygons.map { polygon in
          let points = (polygon.elements ?? []).compactMap(\.number)
          let isPolygon =
            points.count >= 6 && points.count % 2 == 0
            && points.count == polygon.elements?.count
            && points.allSatisfy { abs($0) <= 1e6 }
          guard isPolygon else {
            throw try entry.fault(
              "segmentation", expected: "polygons of three points or more, x and y in turn")
          }
          return points
        })
    }
    let runs = try fields(json, "\(what)'s segmentation", ["size", "counts"])
    let sides = try runs.array("size").compactMap(\.integer)
    guard sides == [size.height, size.width] else {
      throw malformed(
        "\(what) has runs of size \(try runs.value("size").text), expected [\(size.height), \(size.width)]: rows and "
          + "columns of its picture")
    }
    if let text = try runs.value("counts").string {
      return .runs(
        try RunLengthEncoding(
          compressed: text, height: size.height, width: size.width, place: place))
    }
    let counts = try runs.array("counts").map { count in
      guard let run = count.integer else {
        throw try runs.fault("counts", expected: "whole numbers or a string")
      }
      return run
    }
    return .runs(
      try RunLengthEncoding(runs: counts, height: size.height, width: size.width, place: place))
  }
}

extension RecordFields {
  fileprivate func whole(_ key: String) throws -> Int {
    guard let number = try value(key).integer else {
      throw try fault(key, expected: "a whole number")
    }
    return number
  }
}
