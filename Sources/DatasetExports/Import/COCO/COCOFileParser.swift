import CanonicalJSON
import Imaging

/// Reads a COCO file entry by entry, in whatever order its lists stand.
struct COCOFileParser {
  private struct Entry {
    let region: COCORegion
    let imageID: Int
  }

  let path: String
  private(set) var images: [COCOImage] = []
  private(set) var categories: [COCOCategory] = []
  private var faults: [ImportFault] = []
  private var imageIDs: Set<Int> = []
  private var categoryIDs: Set<Int> = []
  private var annotationIDs: Set<Int> = []
  private var entries: [Entry] = []
  private var lists: Set<String> = []

  init(path: String) { self.path = path }

  mutating func read(_ buffer: UnsafeBufferPointer<UInt8>) throws {
    var reader = JSONReader(buffer)
    var object = try reader.beginObject()
    while let name = try reader.nextName(in: &object) {
      switch name {
      case "images", "categories", "annotations":
        lists.insert(name)
        var list = try reader.beginArray()
        var position = 0
        while try reader.nextElement(in: &list) {
          switch name {
          case "images": try addImage(reader.value(), position)
          case "categories": try addCategory(reader.value(), position)
          default: try addAnnotation(&reader, position)
          }
          position += 1
        }
      default: _ = try reader.value()
      }
    }
    try reader.end()
  }

  /// Makes sure that the lists are there.
  func check() throws {
    for name in ["images", "categories", "annotations"] where !lists.contains(name) {
      throw ExportError(
        .malformed, path,
        "has no list \"\(name)\"; expected a COCO file of instances, such as instances_train.json")
    }
  }

  /// The regions by picture, and all faults; once everything is read.
  func resolved() -> ([Int: [COCORegion]], [ImportFault]) {
    var faults = faults
    var regions: [Int: [COCORegion]] = [:]
    for entry in entries {
      if !imageIDs.contains(entry.imageID) {
        faults.append(
          fault(entry.region.name, "is of the picture \(entry.imageID), which is not listed"))
      } else if !categoryIDs.contains(entry.region.categoryID) {
        faults.append(
          fault(
            entry.region.name,
            "is of the category \(entry.region.categoryID), which is not listed"))
      } else {
        regions[entry.imageID, default: []].append(entry.region)
      }
    }
    return (regions, faults)
  }

  private mutating func addImage(_ json: JSONValue, _ position: Int) throws {
    guard let id = json["id"]?.integer else {
      return report("image at place \(position)", "has no whole number as its id")
    }
    let sides = 1...PixelImage.sideLimit
    guard let width = json["width"]?.integer, let height = json["height"]?.integer,
      sides.contains(width), sides.contains(height)
    else {
      return report("image \(id)", "has no width and height of 1 to \(PixelImage.sideLimit)")
    }
    guard let name = json["file_name"]?.string, !name.isEmpty else {
      return report("image \(id)", "has no file_name")
    }
    guard imageIDs.insert(id).inserted else {
      return report("image \(id)", "has an id that an earlier one has")
    }
    images.append(
      COCOImage(
        id: id, width: width, height: height, fileName: name, prompt: json["prompt"]?.string))
  }

  private mutating func addCategory(_ json: JSONValue, _ position: Int) throws {
    guard let id = json["id"]?.integer, let name = json["name"]?.string, !name.isEmpty else {
      return report("category at place \(position)", "has no whole number as its id, or no name")
    }
    guard categoryIDs.insert(id).inserted else {
      return report("category \(id)", "has an id that an earlier one has")
    }
    categories.append(COCOCategory(id: id, name: name))
  }

  private mutating func addAnnotation(_ reader: inout JSONReader, _ position: Int) throws {
    var values: [String: JSONValue] = [:]
    var segmentation: Range<Int>?
    var object = try reader.beginObject()
    while let name = try reader.nextName(in: &object) {
      let start = reader.offset
      let value = try reader.value()
      switch name {
      case "segmentation": if !value.isNull { segmentation = start..<reader.offset }
      case "id", "image_id", "category_id", "iscrowd", "score": values[name] = value
      default: break
      }
    }
    let id = values["id"]?.integer
    let name = id.map { "annotation \($0)" } ?? "annotation at place \(position)"
    guard let imageID = values["image_id"]?.integer,
      let categoryID = values["category_id"]?.integer
    else { return report(name, "has no whole numbers as image_id and category_id") }
    guard let segmentation else {
      return report(name, "has no segmentation; boxes alone make no mask")
    }
    let crowd = values["iscrowd"] ?? 0
    guard crowd == .bool(true) || crowd == .bool(false) || [0, 1].contains(crowd.integer) else {
      return report(name, "has the iscrowd \(crowd.text.prefix(20)), expected 0 or 1")
    }
    if let id, !annotationIDs.insert(id).inserted {
      return report(name, "has an id that an earlier one has")
    }
    let region = COCORegion(
      id: id, position: position, categoryID: categoryID,
      isCrowd: crowd == .bool(true) || crowd.integer == 1, score: values["score"]?.number,
      segmentation: segmentation)
    entries.append(Entry(region: region, imageID: imageID))
  }

  private mutating func report(_ place: String, _ problem: String) {
    faults.append(fault(place, problem))
  }

  private func fault(_ place: String, _ problem: String) -> ImportFault {
    ImportFault("\(path), \(place)", problem)
  }
}
