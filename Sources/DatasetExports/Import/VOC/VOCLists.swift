import CanonicalJSON
import DatasetFormat

/// What lies beside the masks of a VOC set: names of classes, and prompts where this program wrote it.
struct VOCLists {
  let folder: ImportFolder
  let root: String

  /// The classes of PASCAL VOC, for a set that names no others.
  private static let usual = [
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
  ]
  /// What people call the first line where it stands for the background.
  private static let backgrounds = ["background", "_background_", "__background__"]

  /// The classes: from the file the user names, the set's own table or list, or PASCAL's.
  ///
  /// - Throws: ``ExportError`` or `DatasetError` `malformed`.
  func classes(_ path: String?) throws -> ClassTable {
    if let path {
      let (parent, name) = ImportPlace.parted(path)
      return try read(name, in: ImportFolder(parent))
    }
    for name in [RunLayout.classFile, "classes.txt"] {
      for place in Set([name, root + name]).sorted() where try folder.kind(place) == .file {
        return try read(place, in: folder)
      }
    }
    return try Self.table(Self.usual, path: RunLayout.classFile)
  }

  private func read(_ name: String, in folder: ImportFolder) throws -> ClassTable {
    let bytes = try folder.list(name)
    let path = folder.shown(name)
    if bytes.contains(UInt8(ascii: "\t")) {
      return try ClassTable(tsv: bytes, path: path, colours: .optional)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ExportError(.malformed, path, "not valid UTF-8")
    }
    var names = text.split(whereSeparator: \.isNewline).map(String.init)
    if let first = names.first, Self.backgrounds.contains(first) { names.removeFirst() }
    return try Self.table(names, path: path)
  }

  private static func table(_ names: [String], path: String) throws -> ClassTable {
    guard names.count <= ClassTable.idRange.upperBound else {
      throw ExportError(.malformed, path, "\(names.count) classes")
    }
    return try ClassTable(
      names.enumerated().map { ClassTable.Entry(id: $0 + 1, name: $1) }, path: path)
  }

  /// The prompts by name, where a list of samples says them.
  ///
  /// - Throws: ``ExportError`` `malformed`.
  func prompts() throws -> [String: String] {
    let name = SampleList.name
    guard try folder.kind(name) == .file else { return [:] }
    var prompts: [String: String] = [:]
    for line in try folder.list(name).split(separator: UInt8(ascii: "\n")) {
      do {
        let sample = try JSONValue.parse(line)
        if let key = sample["name"]?.string, let prompt = sample["prompt"]?.string {
          prompts[key] = prompt
        }
      } catch {
        throw ExportError(.malformed, folder.shown(name), "no JSON line: \(error)")
      }
    }
    return prompts
  }
}
