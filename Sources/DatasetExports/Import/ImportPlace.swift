/// Where a data set lies, and what is said of it beside its files.
public struct ImportPlace: Sendable, Equatable {
  /// The layout.
  public var format: ImportFormat
  /// The folder; for COCO also a file of annotations.
  public var path: String
  /// The folder of the pictures of COCO; nil where the usual places are looked through.
  public var images: String?
  /// A table or list of classes for VOC, whose masks do not name theirs; nil for the one in the folder, or VOC's own.
  public var classes: String?

  /// Describes a place.
  public init(format: ImportFormat, path: String, images: String? = nil, classes: String? = nil) {
    self.format = format
    self.path = path
    self.images = images
    self.classes = classes
  }

  func source() throws -> any ImportSource {
    switch format {
    case .voc: try VOCSource(self)
    case .coco: try COCOSource(self)
    }
  }

  /// The folder around a path and the last name.
  static func parted(_ path: String) -> (folder: String, name: String) {
    let names = path.split(separator: "/")
    let above = names.dropLast().joined(separator: "/")
    let folder = path.hasPrefix("/") ? "/" + above : (above.isEmpty ? "." : above)
    return (folder, names.last.map(String.init) ?? "")
  }
}
