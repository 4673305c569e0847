import CanonicalJSON
import DatasetExports

/// The files of a gallery, in the folder that takes its place at the end.
final class GalleryFolder {
  /// Samples whose files share a folder: with more, some file systems and file managers grow slow.
  private static let groupSize = 1000

  /// What a sample's files are.
  enum Kind: String, CaseIterable {
    /// The picture.
    case image = "images"
    /// The mask over it.
    case overlay = "overlays"
    /// A smaller picture.
    case thumbnail = "thumbnails"
    /// The mask over that.
    case thumbnailOverlay = "thumbnail-overlays"

    fileprivate var suffix: String { self == .thumbnail ? "jpg" : "png" }
  }

  private let folder: ExportFolder

  init(_ folder: ExportFolder) throws {
    self.folder = folder
    for name in ["data", "page"] { try folder.makeDirectory(name) }
  }

  /// Writes a file of a sample.
  func write(_ bytes: [UInt8], _ kind: Kind, of index: Int) throws {
    let group = "\(kind.rawValue)/\(index / Self.groupSize)"
    try folder.makeDirectory(group)
    try folder.write(bytes, at: "\(group)/\(index).\(kind.suffix)")
  }

  /// Writes a text in a folder that is there.
  func write(_ text: String, at path: String) throws {
    try folder.write(Array(text.utf8), at: path)
  }

  /// Writes the page itself.
  func writePage() throws {
    try folder.write(PackageResources.index_html, at: "index.html")
    let files = [
      ("gallery.css", PackageResources.gallery_css), ("store.js", PackageResources.store_js),
      ("filters.js", PackageResources.filters_js), ("sheet.js", PackageResources.sheet_js),
      ("sample.js", PackageResources.sample_js), ("charts.js", PackageResources.charts_js),
      ("main.js", PackageResources.main_js),
    ]
    for (name, bytes) in files { try folder.write(bytes, at: "page/\(name)") }
  }

  /// Writes the manifest.
  func writeManifest(samples: Int, configurationHash: String) throws {
    let file = try folder.open(ExportManifest.name)
    try folder.manifest.write(
      to: file,
      facts: [
        .init("run_sha256", .string(configurationHash)), .init("samples", .integer(Int64(samples))),
      ])
    try file.close()
  }

  /// How many files there are, and their bytes.
  var size: (files: Int, bytes: Int) { (folder.manifest.count, folder.manifest.byteCount) }
}
