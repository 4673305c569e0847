import Generation

/// Where an evaluation leaves its files.
struct EvaluationFolder {
  let path: String

  /// Makes the folder where it is not there, before hours of work end there.
  ///
  /// - Throws: `GenerationError` where files cannot be made in it.
  init(_ path: String) throws {
    try WholeFile.makeFolder(path)
    self.path = path
  }

  /// Writes a file whole.
  ///
  /// - Returns: its path.
  /// - Throws: `GenerationError` where it cannot be written.
  func write(_ text: String, as name: String) throws -> String {
    let file = "\(path)/\(name)"
    try WholeFile.write(Array(text.utf8), to: file)
    return file
  }
}
