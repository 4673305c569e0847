import Glibc

/// Folders of the person who runs the program.
enum UserFolders {
  /// Where programs keep what they can make again; nil where there is no such place.
  ///
  /// - Source: XDG Base Directory Specification: relative paths do not count.
  static var cache: String? {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    return variable("XDG_CACHE_HOME") ?? variable("HOME").map { $0 + "/.cache" }
  }
}
