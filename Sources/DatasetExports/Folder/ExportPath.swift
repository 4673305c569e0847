/// The place of an export: the folder around it and its own name.
struct ExportPath: Equatable {
  /// The folder around it, as the user named it.
  let parent: String
  /// Its own name.
  let name: String

  /// Takes a path apart.
  ///
  /// - Throws: ``ExportError`` `usage` where the path does not end in a name.
  init(_ path: String) throws {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    guard let last = parts.last, last != ".", last != "..", !path.utf8.contains(0) else {
      throw ExportError(
        .usage, "--output", "found \"\(path)\", expected the path of a folder to make")
    }
    name = String(last)
    let above = parts.dropLast().joined(separator: "/")
    parent = path.hasPrefix("/") ? "/" + above : (above.isEmpty ? "." : above)
  }
}
