/// Text of strangers inside Markdown.
enum MarkdownText {
  /// The text in one line, none of its characters taken for markup or for the border of a table's cell.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\", "|", "*", "_", "`", "<", ">", "[", "]", "#", "&":
        escaped += "\\"
        escaped.unicodeScalars.append(scalar)
      case "\u{0}"..<"\u{20}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}": escaped += " "
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
