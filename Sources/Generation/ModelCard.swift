/// What a model folder's README.md says about its licence.
public enum ModelCard {
  private static let sizeLimit = 1 << 20

  /// The licence in one line; nil where the folder has no card or the card names none.
  ///
  /// Taken is `license:` of a front matter between `---` lines as model hubs use it, else the first paragraph that
  /// speaks of a licence.
  ///
  /// - Throws: ``GenerationError`` where the card is there and cannot be read.
  public static func licence(of folder: String) throws -> String? {
    let file = folder + "/README.md"
    guard FileAccess.isFile(file) else { return nil }
    let text = String(decoding: try FileAccess.bytes(of: file, limit: sizeLimit), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return frontMatter(lines) ?? paragraph(lines)
  }

  private static func frontMatter(_ lines: [Substring]) -> String? {
    guard lines.first == "---" else { return nil }
    let matter = lines.dropFirst().prefix { $0 != "---" }
    guard let line = matter.first(where: { $0.hasPrefix("license:") }) else { return nil }
    let value = line.dropFirst("license:".count).drop { $0 == " " }
    return value.isEmpty ? nil : String(value)
  }

  private static func paragraph(_ lines: [Substring]) -> String? {
    let paragraphs = lines.split { $0.allSatisfy(\.isWhitespace) }
    let speaking = paragraphs.first { paragraph in
      guard let first = paragraph.first, !first.hasPrefix("#") else { return false }
      let words = paragraph.joined(separator: " ").lowercased()
      return words.contains("licence") || words.contains("license")
    }
    return speaking?.joined(separator: " ")
  }
}
