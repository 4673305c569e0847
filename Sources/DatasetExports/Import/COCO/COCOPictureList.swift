import CanonicalJSON

/// A list of a COCO set that says one thing of each picture: captions, or the names of panoptic pictures.
struct COCOPictureList {
  /// What is said, by the picture's id; the first of several.
  let texts: [Int: String]

  /// Reads a file's `annotations`.
  ///
  /// - Parameters:
  ///   - bytes: the file's bytes.
  ///   - key: the member to take, `caption` or `file_name`.
  ///   - path: the file, for messages.
  /// - Throws: ``ExportError`` `malformed` where it is no such file.
  init(bytes: [UInt8], key: String, path: String) throws {
    do {
      texts = try bytes.withUnsafeBufferPointer { try Self.texts($0, key: key) }
    } catch {
      throw ExportError(.malformed, path, "no list of annotations: \(error)")
    }
  }

  private static func texts(
    _ buffer: UnsafeBufferPointer<UInt8>, key: String
  ) throws -> [Int: String] {
    var texts: [Int: String] = [:]
    var reader = JSONReader(buffer)
    var object = try reader.beginObject()
    while let name = try reader.nextName(in: &object) {
      guard name == "annotations" else {
        _ = try reader.value()
        continue
      }
      var list = try reader.beginArray()
      while try reader.nextElement(in: &list) {
        let entry = try reader.value()
        guard let id = entry["image_id"]?.integer, let text = entry[key]?.string else { continue }
        if texts[id] == nil { texts[id] = text }
      }
    }
    try reader.end()
    return texts
  }
}
