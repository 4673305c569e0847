import Glibc

/// Finds the folders of data that the build puts beside the executable.
///
/// SwiftPM's own accessor traps when its bundle is missing and remembers the build machine's path; this one
/// looks beside the running executable only, so that the program can be copied anywhere with its bundles.
public enum ResourceFolder {
  /// The folder of the running executable, links resolved.
  ///
  /// - Throws: ``GenerationError`` where the system does not tell.
  public static func executableFolder() throws -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard length > 0 else {
      throw GenerationError(
        .unreadable, "/proc/self/exe",
        "the program cannot find its own folder (\(errorText())); mount /proc")
    }
    let path = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return FileAccess.folder(of: path)
  }

  /// Whether `path` is a folder, links followed.
  public static func isFolder(_ path: String) -> Bool { FileAccess.isFolder(path) }

  /// Whether `path` is a regular file, links followed.
  public static func isFile(_ path: String) -> Bool { FileAccess.isFile(path) }

  /// The folder of a target's resources, which must stand beside the executable.
  ///
  /// - Throws: ``GenerationError`` naming the folder where it is not there.
  public static func bundle(target: String) throws -> String {
    let folder = try executableFolder() + "/triptych_\(target).resources"
    guard FileAccess.isFolder(folder) else {
      throw GenerationError(
        .missingInput, folder,
        "the folder of built-in data is not there; copy it along with the executable")
    }
    return folder
  }
}
