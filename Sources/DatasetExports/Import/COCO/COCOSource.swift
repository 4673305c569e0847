import DatasetFormat
import Imaging

/// A COCO set: one file of instances, or all in a folder's `annotations`.
struct COCOSource: ImportSource {
  let classes: ClassTable
  let faults: [ImportFault]

  private let splits: [COCOSplitSource]
  private let classOfCategory: [Int: UInt16]
  /// Where each split's pictures begin.
  private let starts: [Int]

  init(_ place: ImportPlace) throws {
    guard place.classes == nil else {
      throw ExportError(.usage, "--classes", "goes with voc; a COCO file names its categories")
    }
    let (folder, paths) = try Self.lists(place.path)
    let images = try place.images.map(ImportFolder.init)
    splits = try paths.map {
      try COCOSplitSource(folder: folder, path: $0, images: images)
    }
    faults = splits.flatMap(\.annotations.faults)
    (classes, classOfCategory) = try Self.classes(splits.map(\.annotations))
    starts = splits.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.annotations.images.count) }
  }

  var count: Int { starts[starts.count - 1] }

  func picture(_ position: Int) throws -> ImportedPicture {
    let split = (starts.firstIndex { $0 > position } ?? 1) - 1
    let image = splits[split].annotations.images[position - starts[split]]
    return try splits[split].picture(image, classes: classOfCategory)
  }

  /// The files of instances, exact ones alone, and the folder they are in.
  private static func lists(_ path: String) throws -> (ImportFolder, [String]) {
    let (parent, name) = ImportPlace.parted(path)
    if ImportFolder.isName(name), try ImportFolder(parent).kind(name) == .file {
      let (above, around) = ImportPlace.parted(parent)
      guard around == "annotations" else { return (try ImportFolder(parent), [name]) }
      return (try ImportFolder(above), ["annotations/\(name)"])
    }
    let folder = try ImportFolder(path)
    let names = try folder.names(in: "annotations").filter {
      $0.hasPrefix("instances_") && $0.hasSuffix(".json") && !$0.hasSuffix("_polygons.json")
    }
    guard !names.isEmpty else {
      throw ExportError(
        .malformed, path,
        "has no annotations/instances_*.json; name the file of annotations itself, and --images DIR"
      )
    }
    return (folder, names.map { "annotations/\($0)" })
  }

  /// Categories keep their ids where masks can hold them; else they are numbered anew in their order.
  private static func classes(
    _ files: [COCOAnnotationFile]
  ) throws -> (ClassTable, [Int: UInt16]) {
    var names: [Int: String] = [:]
    for file in files {
      for category in file.categories {
        if let other = names[category.id], other != category.name {
          throw ExportError(
            .malformed, file.path,
            "the category \(category.id) is \"\(category.name)\", in another file \"\(other)\"")
        }
        names[category.id] = category.name
      }
    }
    let ids = names.keys.sorted()
    guard ids.count <= ClassTable.idRange.upperBound else {
      throw ExportError(
        .malformed, files[0].path,
        "\(ids.count) categories; masks hold \(ClassTable.idRange.upperBound)")
    }
    let fit = ids.allSatisfy(ClassTable.idRange.contains)
    var taken: Set<String> = []
    var classOfCategory: [Int: UInt16] = [:]
    let entries = ids.enumerated().map { position, id in
      let number = fit ? id : position + 1
      classOfCategory[id] = UInt16(number)
      let name = names[id] ?? ""
      let isNew = taken.insert(name).inserted
      return ClassTable.Entry(id: number, name: isNew ? name : "\(name) (\(id))")
    }
    return (try ClassTable(entries, path: files[0].path), classOfCategory)
  }
}
