import CanonicalJSON

/// A COCO file that is written sample by sample: first all images, then all annotations, an entry a line.
final class COCODocument {
  private enum Part {
    case images
    case annotations
  }

  private let file: ExportFile
  private var part = Part.images
  private var isFirst = true

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - file: the file, with nothing in it.
  ///   - head: the members in front of the lists.
  init(_ file: ExportFile, head: [JSONValue.Member]) throws {
    self.file = file
    try file.write("{\n")
    for member in head {
      try file.write("\(JSONValue.string(member.name).text):\(member.value.text),\n")
    }
    try file.write("\"images\":[")
  }

  /// Adds an image; before the first annotation.
  func add(image: JSONValue) throws {
    precondition(part == .images, "an image behind annotations")
    try add(image)
  }

  /// Adds an annotation.
  func add(annotation: JSONValue) throws {
    try beginAnnotations()
    try add(annotation)
  }

  /// Ends the file.
  func finish() throws {
    try beginAnnotations()
    try file.write("\n]\n}\n")
    try file.close()
  }

  private func beginAnnotations() throws {
    guard part == .images else { return }
    try file.write("\n],\n\"annotations\":[")
    part = .annotations
    isFirst = true
  }

  private func add(_ entry: JSONValue) throws {
    try file.write((isFirst ? "\n" : ",\n") + entry.text)
    isFirst = false
  }
}
