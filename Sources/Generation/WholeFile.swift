import Glibc

/// Writing files that are whole under their names at any moment.
public enum WholeFile {
  /// Refuses a place where a file cannot be made, before hours of work end there.
  ///
  /// - Throws: ``GenerationError`` naming the folder.
  public static func checkPlace(_ path: String) throws {
    let folder = FileAccess.folder(of: path)
    guard !FileAccess.isFolder(path), FileAccess.isFolder(folder), access(folder, W_OK) == 0 else {
      throw GenerationError(
        .unwritable, path, "a file cannot be made there; expected a name in a folder that is there")
    }
  }

  /// Writes a file under its name at once: what was there before, or the whole new file.
  ///
  /// - Throws: ``GenerationError`` where it cannot be made, with the disk full as a reason of its own.
  package static func write(_ bytes: [UInt8], to path: String) throws {
    let writer = try WholeFileWriter(path)
    try writer.append(bytes)
    try writer.commit()
  }

  /// Makes a folder with those above it, where it is not there yet, and checks that files can be made in it.
  ///
  /// - Throws: ``GenerationError`` where that is not so.
  package static func makeFolder(_ path: String) throws {
    var place = path.hasPrefix("/") ? "/" : ""
    for name in path.split(separator: "/") {
      place += place.isEmpty || place == "/" ? "\(name)" : "/\(name)"
      guard mkdir(place, 0o777) == 0 || errno == EEXIST || FileAccess.isFolder(place) else {
        throw GenerationError(.unwritable, place, "cannot be made: \(errorText())")
      }
    }
    guard FileAccess.isFolder(path) else {
      throw GenerationError(.unwritable, path, "is a file; expected a folder, or a name for one")
    }
    guard access(path, W_OK | X_OK) == 0 else {
      throw GenerationError(.unwritable, path, "files cannot be made in it: \(errorText())")
    }
  }
}
