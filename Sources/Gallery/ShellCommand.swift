/// A line for a POSIX shell, put together word by word.
package struct ShellCommand {
  /// The line so far.
  private(set) var text: String

  init(_ program: String) { text = program }

  /// Adds a word as it is written: a name that the reader replaces, or an option.
  mutating func add(_ word: String) { text += " " + word }

  /// Adds an option with a value, quoted where the shell or the program would take it for something else.
  mutating func add(_ option: String, _ value: String) {
    // The program takes what begins with a dash for an option unless it stands behind "=".
    text += " " + option + (value.hasPrefix("-") ? "=" : " ") + Self.quoted(value)
  }

  /// The text as one word: as it is where that is safe, else between single quotes.
  package static func quoted(_ text: String) -> String {
    let isPlain =
      !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "-_.,:/=+@%".utf8.contains(byte)
        }
      }
    guard !isPlain else { return text }
    return "'"
      + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}
