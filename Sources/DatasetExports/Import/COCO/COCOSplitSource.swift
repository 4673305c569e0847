import DatasetFormat
import Imaging

/// One file of instances with what lies beside it: pictures, captions, and panoptic pictures whose void is to be ignored.
struct COCOSplitSource {
  private static let instances = "instances_"

  /// The file of instances.
  let annotations: COCOAnnotationFile
  private let folder: ImportFolder
  private let images: ImportFolder?
  private let split: String
  private let captions: COCOPictureList?
  private let panoptic: COCOPictureList?

  /// Opens a split.
  ///
  /// - Parameters:
  ///   - folder: the data set.
  ///   - path: the file of instances in it.
  ///   - images: the folder of pictures where the user names one.
  /// - Throws: ``ExportError`` where a list is not well formed, `DatasetError`.
  init(folder: ImportFolder, path: String, images: ImportFolder?) throws {
    self.folder = folder
    self.images = images
    let (_, name) = ImportPlace.parted(path)
    split =
      name.hasPrefix(Self.instances) && name.hasSuffix(".json")
      ? String(name.dropFirst(Self.instances.count).dropLast(".json".count)) : ""
    annotations = try COCOAnnotationFile(
      bytes: try folder.list(path), path: folder.shown(path))
    captions = try Self.beside(folder, "annotations/captions_\(split).json", key: "caption")
    let drawn = "annotations/panoptic_\(split)"
    panoptic =
      try folder.kind(drawn) == .directory
      ? Self.beside(folder, "\(drawn).json", key: "file_name") : nil
  }

  private static func beside(
    _ folder: ImportFolder, _ path: String, key: String
  ) throws -> COCOPictureList? {
    guard try folder.kind(path) == .file else { return nil }
    return try COCOPictureList(
      bytes: try folder.list(path), key: key, path: folder.shown(path))
  }

  /// Reads a picture.
  ///
  /// - Parameters:
  ///   - image: its entry.
  ///   - classes: the class of each category.
  /// - Returns: the picture with its mask.
  /// - Throws: ``ImportFault``, `DatasetError`.
  func picture(_ image: COCOImage, classes: [Int: UInt16]) throws -> ImportedPicture {
    let entry = "\(annotations.path), image \(image.id)"
    guard ImportFolder.isName(image.fileName) else {
      throw ImportFault(
        entry, "has the file_name \"\(image.fileName)\", which leads out of the folder")
    }
    let pixels = try pixels(image)
    var faults: [ImportFault] = []
    let mask = try mask(of: image, classes: classes, faults: &faults)
    return ImportedPicture(
      name: image.fileName, prompt: image.prompt ?? captions?.texts[image.id] ?? "",
      image: pixels, mask: mask, faults: faults)
  }

  private func pixels(_ image: COCOImage) throws -> PixelImage {
    if let images {
      return try images.image(image.fileName, width: image.width, height: image.height)
    }
    let name = image.fileName
    let places =
      (split.isEmpty ? [] : ["images/\(split)/\(name)", "\(split)/\(name)"])
      + ["images/\(name)", name, "annotations/\(name)"]
    guard let path = try places.first(where: { try folder.kind($0) != nil }) else {
      throw ImportFault(
        folder.shown(places[0]),
        "is not there, nor at the other usual places; --images DIR names another")
    }
    return try folder.image(path, width: image.width, height: image.height)
  }

  /// Crowds first, as pixels to ignore, then objects from the largest to the smallest, so that none is hidden whole.
  private func mask(
    of image: COCOImage, classes: [Int: UInt16], faults: inout [ImportFault]
  ) throws -> LabelMask {
    var ids = [UInt16](repeating: LabelMask.background, count: image.width * image.height)
    var layers: [(id: UInt16, encoding: RunLengthEncoding)] = []
    for region in annotations.regions(of: image) {
      let pixels = annotations.pixels(of: region, in: image)
      faults += pixels.problems.map { ImportFault("\(annotations.path), \(region.name)", $0) }
      guard let encoding = pixels.encoding else { continue }
      if region.isCrowd {
        encoding.paint(LabelMask.ignored, on: &ids)
      } else if let id = classes[region.categoryID] {
        layers.append((id, encoding))
      }
    }
    let areas = layers.map(\.encoding.area)
    for place in layers.indices.sorted(by: { (areas[$1], $0) < (areas[$0], $1) }) {
      layers[place].encoding.paint(layers[place].id, on: &ids)
    }
    do {
      try ignoreVoid(of: image, in: &ids)
    } catch let fault as ImportFault {
      faults.append(fault)
    }
    return try LabelMask(width: image.width, height: image.height, ids: ids)
  }

  /// What the panoptic picture leaves black and no object covers is to be ignored.
  private func ignoreVoid(of image: COCOImage, in ids: inout [UInt16]) throws {
    guard let name = panoptic?.texts[image.id] else { return }
    let path = "annotations/panoptic_\(split)/\(name)"
    guard ImportFolder.isName(name) else {
      throw ImportFault(folder.shown(path), "leads out of the folder")
    }
    let drawn = try folder.image(path, width: image.width, height: image.height)
    for place in ids.indices where ids[place] == LabelMask.background {
      let isVoid = drawn.samples[3 * place..<3 * place + 3].allSatisfy { $0 == 0 }
      if isVoid { ids[place] = LabelMask.ignored }
    }
  }
}
