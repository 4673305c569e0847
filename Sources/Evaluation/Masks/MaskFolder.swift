import DatasetFormat
import Generation
public import Imaging

/// A folder of masks, PNG or TIFF, that go by their names without end.
public struct MaskFolder: Sendable {
  private static let ends = ["png", "tif", "tiff"]
  /// Pictures beside the masks that `triptych segment` writes, to look at.
  private static let overlay = ".overlay"

  /// The folder.
  public let path: String
  /// The names, sorted.
  public let names: [String]
  private let files: [String: String]

  /// Lists a folder.
  ///
  /// - Throws: `GenerationError` where it cannot be listed, or two masks have one name.
  public init(_ path: String) throws {
    var files: [String: String] = [:]
    for file in try FileAccess.list(path) where Self.isMask(file) {
      let name = Self.stem(of: file)
      if name.hasSuffix(Self.overlay) { continue }
      if let other = files.updateValue(file, forKey: name) {
        throw GenerationError(
          .malformed, path, "\(other) and \(file) both are the mask of \(name); remove one")
      }
    }
    guard !files.isEmpty else {
      throw GenerationError(.malformed, path, "holds no mask; expected PNG or TIFF files")
    }
    self.path = path
    self.files = files
    names = files.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Whether there is a mask of this name.
  public func contains(_ name: String) -> Bool { files[name] != nil }

  /// The file of a name, as messages show it.
  public func file(of name: String) -> String { "\(path)/\(files[name] ?? name + ".png")" }

  /// Reads a mask.
  ///
  /// - Throws: `ImagingError` where it cannot be read or is none.
  public func mask(_ name: String) throws -> LabelMask { try ImageFile.readMask(file(of: name)) }

  /// A file's name without folders and its last end.
  static func stem(of file: String) -> String {
    let name = file.split(separator: "/").last.map(String.init) ?? file
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
    return String(name[..<dot])
  }

  private static func isMask(_ file: String) -> Bool {
    guard let dot = file.lastIndex(of: ".") else { return false }
    return ends.contains(file[file.index(after: dot)...].lowercased())
  }
}
