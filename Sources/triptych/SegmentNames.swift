import Generation
import Glibc

/// The pictures of a command and what their results are called.
struct SegmentNames {
  /// One picture's results.
  struct Entry {
    /// The picture's path.
    let image: String
    /// The mask's name in the output folder.
    let mask: String
    /// The overlay's name there.
    let overlay: String
  }

  private static let endings = [".png", ".jpg", ".jpeg"]

  /// The pictures in the order they were given.
  let entries: [Entry]

  /// Names results after pictures; of folders, all PNG and JPEG files in them.
  ///
  /// - Throws: `GenerationError` where a picture is not there, two results would have one name, or a result would replace a
  ///   picture.
  init(_ paths: [String], output: String) throws {
    var entries: [Entry] = []
    var owners: [String: String] = [:]
    for image in try paths.flatMap(Self.pictures) {
      let file = String(image.split(separator: "/").last ?? "")
      let ending = Self.endings.first { file.lowercased().hasSuffix($0) } ?? ""
      let stem = file.dropLast(ending.count)
      let entry = Entry(image: image, mask: "\(stem).png", overlay: "\(stem).overlay.png")
      for name in [entry.mask, entry.overlay] {
        if let other = owners.updateValue(image, forKey: name) {
          throw GenerationError(
            .usage, image,
            other == image
              ? "is given twice; give each picture once"
              : "and \(other) would both become \(name) in \(output); segment them to different folders"
          )
        }
      }
      entries.append(entry)
    }
    let sources = Dictionary(
      entries.compactMap { entry in Self.identity(entry.image).map { ($0, entry.image) } },
      uniquingKeysWith: { first, _ in first })
    for entry in entries {
      for name in [entry.mask, entry.overlay] {
        guard let place = Self.identity("\(output)/\(name)"), let source = sources[place] else {
          continue
        }
        throw GenerationError(
          .usage, "--output", "\(output)/\(name) would replace the picture \(source); give another folder")
      }
    }
    self.entries = entries
  }

  private static func pictures(_ path: String) throws -> [String] {
    guard FileAccess.isFolder(path) else {
      guard FileAccess.isFile(path) else {
        throw GenerationError(.missingInput, path, "there is no such picture")
      }
      return [path]
    }
    let names = try FileAccess.list(path).filter { name in
      endings.contains { name.lowercased().hasSuffix($0) }
    }
    guard !names.isEmpty else {
      throw GenerationError(.missingInput, path, "the folder has no PNG or JPEG files")
    }
    return names.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
  }

  /// A file's place on its disk; nil where there is none.
  private static func identity(_ path: String) -> [UInt]? {
    var status = stat()
    return stat(path, &status) == 0 ? [UInt(status.st_dev), UInt(status.st_ino)] : nil
  }
}
