import DatasetFormat
import Imaging

/// A data set's folder, whose names come from strangers: nothing leads out of it.
struct ImportFolder {
  private let files: LocalFileSystem

  /// Opens a folder.
  ///
  /// - Throws: `DatasetError` where it is not there.
  init(_ path: String) throws { files = try LocalFileSystem(root: path, creating: false) }

  /// A path as messages show it.
  func shown(_ path: String) -> String { files.shown(path) }

  /// Whether a name can be one below the folder: relative, without `..` and the like.
  static func isName(_ path: String) -> Bool {
    path.utf8.count <= 4096 && !path.utf8.contains(0)
      && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
        !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255
      }
  }

  /// What stands at a path; nil where nothing does or a folder on the way is none.
  func kind(_ path: String) throws -> FileStatus.Kind? {
    do {
      return try files.status(path)?.kind
    } catch let error as DatasetError where Self.isFault(of: error) {
      return nil
    }
  }

  /// The names in a folder, sorted; none where it is no folder.
  func names(in path: String) throws -> [String] {
    try kind(path) == .directory ? files.list(path) : []
  }

  /// The names in the folder itself, sorted.
  func namesAtTop() throws -> [String] { try files.list("") }

  /// A regular file's bytes.
  ///
  /// - Throws: ``ImportFault`` where it cannot be taken; `DatasetError` where the disk fails.
  func bytes(_ path: String, limit: Int = ImageFile.byteLimit) throws -> [UInt8] {
    do {
      return try files.read(path, limit: limit)
    } catch let error as DatasetError where Self.isFault(of: error) {
      throw ImportFault(error.path, error.message)
    }
  }

  /// A list's bytes: without it nothing can be read.
  ///
  /// - Throws: ``ExportError`` `malformed` where it cannot be taken; `DatasetError` where the disk fails.
  func list(_ path: String) throws -> [UInt8] {
    do {
      return try bytes(path, limit: COCOAnnotationFile.byteLimit)
    } catch let fault as ImportFault {
      throw ExportError(.malformed, fault.place, fault.problem)
    }
  }

  /// A picture in its stored orientation, or upright where only that has the size that is wanted.
  ///
  /// Regions are given in the pixels of a file as most loaders read it, without its Exif orientation.
  ///
  /// - Throws: ``ImportFault`` where it cannot be taken; `DatasetError` where the disk fails.
  func image(_ path: String, width: Int, height: Int) throws -> PixelImage {
    let bytes = try bytes(path)
    do {
      let stored = try ImageFile.decode(bytes, turnsUpright: false)
      if (stored.width, stored.height) == (width, height) { return stored }
      if (stored.height, stored.width) == (width, height) {
        let upright = try ImageFile.decode(bytes)
        if (upright.width, upright.height) == (width, height) { return upright }
      }
      throw ImportFault(
        shown(path), "has \(stored.width) x \(stored.height) pixels, expected \(width) x \(height)")
    } catch let error as ImagingError where error.code != .outOfMemory {
      throw ImportFault(shown(path), error.message)
    }
  }

  /// Whether a file is not as it should be, rather than the disk.
  private static func isFault(of error: DatasetError) -> Bool {
    switch error.code {
    case .malformed, .missing, .cannotCreate: true
    // Without a number, or with one of names and permissions.
    case .io: error.isOfName
    default: false
    }
  }
}
