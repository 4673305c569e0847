import DatasetFormat
import Imaging

/// A PASCAL VOC set: pictures, and masks whose values are classes.
struct VOCSource: ImportSource {
  /// Ends of pictures' names, in the order they are looked for.
  private static let suffixes = ["jpg", "jpeg", "png", "JPG", "JPEG", "PNG"]
  private static let masks = "SegmentationClass"
  private static let lists = "ImageSets/Segmentation"

  let classes: ClassTable
  let faults: [ImportFault]

  private let folder: ImportFolder
  /// The folder in it that holds `SegmentationClass`, with a `/` behind it; empty where it is the folder itself.
  private let root: String
  private let names: [String]
  private let prompts: [String: String]
  private let known: Set<UInt16>

  init(_ place: ImportPlace) throws {
    guard place.images == nil else {
      throw ExportError(.usage, "--images", "goes with coco; VOC has its pictures in JPEGImages")
    }
    folder = try ImportFolder(place.path)
    root = try Self.root(of: folder, path: place.path)
    let reader = VOCLists(folder: folder, root: root)
    classes = try reader.classes(place.classes)
    prompts = try reader.prompts()
    known = Set(classes.entries.map { UInt16($0.id) })
    (names, faults) = try Self.names(folder, root)
  }

  var count: Int { names.count }

  func picture(_ position: Int) throws -> ImportedPicture {
    let name = names[position]
    let maskPath = "\(root)\(Self.masks)/\(name).png"
    let mask = try mask(maskPath)
    let images = Self.suffixes.map { "\(root)JPEGImages/\(name).\($0)" }
    guard let path = try images.first(where: { try folder.kind($0) != nil }) else {
      throw ImportFault(folder.shown(images[0]), "is not there, nor under another end")
    }
    let image = try folder.image(path, width: mask.width, height: mask.height)
    return ImportedPicture(
      name: path, prompt: prompts[name] ?? "", image: image, mask: mask, faults: [])
  }

  private func mask(_ path: String) throws -> LabelMask {
    let bytes = try folder.bytes(path)
    let mask: LabelMask
    do {
      mask = try PNGCodec.decodeMask(bytes).pixels
    } catch let error as ImagingError where error.code != .outOfMemory {
      throw ImportFault(
        folder.shown(path),
        "\(error.message); expected a palette or grey PNG whose values are classes")
    }
    let stranger = mask.ids.first {
      $0 != LabelMask.background && $0 != LabelMask.ignored && !known.contains($0)
    }
    if let stranger {
      throw ImportFault(
        folder.shown(path),
        "holds the value \(stranger), which is none of the \(known.count) classes; --classes FILE names others"
      )
    }
    return mask
  }

  private static func root(of folder: ImportFolder, path: String) throws -> String {
    if try folder.kind(masks) == .directory { return "" }
    let years = try folder.names(in: "VOCdevkit").map { "VOCdevkit/\($0)" }
    let names = try folder.namesAtTop().filter { $0.hasPrefix("VOC") && $0 != "VOCdevkit" }
    let roots = try (years + names).filter { try folder.kind("\($0)/\(masks)") == .directory }
    guard roots.count == 1 else {
      throw ExportError(
        .malformed, path,
        roots.isEmpty
          ? "has no SegmentationClass, nor VOCdevkit/VOC…/SegmentationClass; expected a VOC set"
          : "holds several sets, \(roots.joined(separator: ", ")); name one of them")
    }
    return roots[0] + "/"
  }

  /// The names of the lists, sorted and each once; those of all masks where there is no list.
  private static func names(
    _ folder: ImportFolder, _ root: String
  ) throws -> ([String], [ImportFault]) {
    var found: Set<String> = []
    var faults: [ImportFault] = []
    let listed = try folder.names(in: root + lists).filter { $0.hasSuffix(".txt") }
    for list in listed {
      let path = "\(root)\(lists)/\(list)"
      let text = String(decoding: try folder.list(path), as: UTF8.self)
      for line in text.split(whereSeparator: \.isNewline) {
        guard let name = line.split(separator: " ").first.map(String.init) else { continue }
        if ImportFolder.isName(name) {
          found.insert(name)
        } else {
          faults.append(ImportFault(folder.shown(path), "\"\(name)\" leads out of the folder"))
        }
      }
    }
    if listed.isEmpty {
      for name in try folder.names(in: root + masks) where name.hasSuffix(".png") {
        found.insert(String(name.dropLast(".png".count)))
      }
    }
    return (found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, faults)
  }
}
