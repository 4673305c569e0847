import Generation
import Imaging

/// Where the files of a data set lie: below the folder that is named, or below one of the usual names in it.
struct BenchmarkFolder {
  private static let pictures = ["jpg", "jpeg", "png", "JPG", "JPEG", "PNG"]

  /// The folder that holds the data set's own.
  let path: String

  /// Finds a data set.
  ///
  /// - Parameters:
  ///   - path: the folder that is named.
  ///   - roots: names in it that may hold the data set; it may hold it itself.
  ///   - parts: folders of which the data set has one.
  ///   - name: the data set's name, for messages.
  /// - Throws: `GenerationError` `missingInput` where none of the folders is there.
  init(_ path: String, roots: [String], holding parts: [String], name: String) throws {
    let places = [path] + roots.map { "\(path)/\($0)" }
    guard let found = places.first(where: { Self.part(parts, in: $0) != nil }) else {
      let wanted = parts.map { "\(roots.first.map { $0 + "/" } ?? "")\($0)" }
      throw GenerationError(
        .missingInput, path,
        "holds no \(name): there is no \(wanted.joined(separator: ", nor "))")
    }
    self.path = found
  }

  /// The first of several folders that is there.
  func part(_ parts: [String]) -> String? { Self.part(parts, in: path) }

  private static func part(_ parts: [String], in folder: String) -> String? {
    parts.first { FileAccess.isFolder("\(folder)/\($0)") }
  }

  /// The names of a list, one a line; what stands behind a space is left out.
  ///
  /// - Throws: `GenerationError` where it cannot be read, or a name leads elsewhere.
  static func list(_ file: String) throws -> [String] {
    let bytes = try FileAccess.bytes(of: file, limit: 16 << 20)
    let names = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    for name in names where name.hasPrefix("/") || name.split(separator: "/").contains("..") {
      throw GenerationError(.malformed, file, "\"\(name)\" leads out of the data set")
    }
    guard !names.isEmpty else { throw GenerationError(.malformed, file, "lists nothing") }
    return names
  }

  /// Reads the picture of a name, whatever its end.
  ///
  /// - Throws: `GenerationError` `missingInput` where there is none, `ImagingError` where it cannot be read.
  static func picture(_ stem: String) throws -> PixelImage {
    guard let end = pictures.first(where: { FileAccess.isFile("\(stem).\($0)") }) else {
      throw GenerationError(
        .missingInput, "\(stem).jpg", "is not there, nor under another end of pictures")
    }
    return try ImageFile.read("\(stem).\(end)")
  }
}
