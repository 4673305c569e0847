import CanonicalJSON
import Glibc

/// The program's two streams: results on stdout, everything else on stderr.
enum Console {
  /// Writing a result failed.
  struct OutputFault: Error, CustomStringConvertible {
    let number: Int32
    var description: String {
      "standard output: cannot be written: \(String(cString: strerror(number)))"
    }
  }

  /// Writes a line of results.
  ///
  /// - Throws: ``OutputFault`` where nobody reads, or the disk is full.
  static func result(_ line: String) throws {
    var rest = ArraySlice(Array((line + "\n").utf8))
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw OutputFault(number: errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes a line of JSON results.
  ///
  /// - Throws: ``OutputFault``.
  static func result(_ value: JSONValue) throws { try result(value.text) }

  /// Writes a line for people; a closed stderr is nobody's loss.
  static func note(_ line: String) { raw(line + "\n") }

  /// Writes text for people as it is.
  static func raw(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// Whether people watch stderr.
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Characters of a line of stdout where it is a terminal; nil where it is none.
  static var resultWidth: Int? {
    guard isatty(STDOUT_FILENO) == 1 else { return nil }
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Text on one line: control characters are written as escapes.
  static func oneLine(_ text: String) -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": line += "\\n"
      case "\r": line += "\\r"
      case "\t": line += "\\t"
      default:
        if scalar.value < 32 || scalar.value == 127 {
          line += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          line.unicodeScalars.append(scalar)
        }
      }
    }
    return line
  }
}
