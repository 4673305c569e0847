import ArgumentParser

/// The words of the command line, checked to be text.
enum CommandLineArguments {
  /// The arguments after the program's name.
  ///
  /// - Throws: a usage error where an argument is not UTF-8; the library would silently replace its bytes.
  static func read() throws -> [String] {
    var words: [String] = []
    let count = Int(CommandLine.argc)
    for position in 1..<max(1, count) {
      guard let bytes = CommandLine.unsafeArgv[position] else { continue }
      guard let word = String(validatingCString: bytes) else {
        throw ValidationError("argument \(position) is not UTF-8 text; give it in UTF-8")
      }
      words.append(word)
    }
    return words
  }
}
