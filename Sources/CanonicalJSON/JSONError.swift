/// Where and why a text is not the JSON that is accepted here.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Byte position, from 0.
  public var offset: Int
  /// What was found and what was expected.
  public var message: String

  /// Describes a fault at a byte.
  public init(offset: Int, message: String) {
    self.offset = offset
    self.message = message
  }

  /// One line for people.
  public var description: String { "byte \(offset): \(message)" }

  /// A piece of foreign text fit for a one-line message: cut to `limit` characters, control characters
  /// written as escapes.
  public static func excerpt(of text: String, limit: Int = 80) -> String {
    var shown = ""
    var left = limit
    for scalar in text.unicodeScalars {
      if left == 0 { return shown + "…" }
      left -= 1
      if scalar.properties.generalCategory == .control || scalar.value == 0x2028
        || scalar.value == 0x2029
      {
        shown += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }
}
