/// Entities that are given apart from a prompt: words with commas between them.
public enum EntityList {
  /// The most entities of one picture: as many as an 8-bit mask has ids.
  public static let limit = 254
  /// The most bytes of one entity's words.
  public static let byteLimit = 200

  /// Reads names with commas between them; white space around and runs of it inside do not count.
  ///
  /// - Throws: ``EntityError`` where a name is empty, repeated (letter case apart), too long or holds a control
  ///   character, or where there are none or more than ``limit``.
  public static func parse(_ text: String) throws(EntityError) -> [String] {
    try checked(text.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
  }

  /// The names with white space in order.
  ///
  /// - Throws: as ``parse(_:)``; a comma inside a name is refused too.
  public static func checked(_ names: [String]) throws(EntityError) -> [String] {
    guard names.contains(where: { !$0.allSatisfy(\.isWhitespace) }) else {
      throw EntityError(
        "", "no entity is named; write words with commas between them: dog,potted plant")
    }
    guard names.count <= limit else {
      throw EntityError("", "\(names.count) entities; a picture may have \(limit) at most")
    }
    var result: [String] = []
    var places: [String: Int] = [:]
    for (index, name) in names.enumerated() {
      let words = name.split { $0.isWhitespace }.joined(separator: " ")
      guard !words.isEmpty else {
        throw EntityError(
          "", "entity \(index + 1) of \(names.count) is empty; take out the extra comma")
      }
      guard words.utf8.count <= byteLimit else {
        throw EntityError(
          "\(words.prefix(40))…", "it has \(words.utf8.count) bytes, expected at most \(byteLimit)")
      }
      let isClean = words.unicodeScalars.allSatisfy {
        $0.properties.generalCategory != .control && $0 != "," && $0 != "\u{2028}"
          && $0 != "\u{2029}"
      }
      guard isClean else {
        throw EntityError(
          "", "entity \(index + 1) of \(names.count) holds a comma or a control character")
      }
      if let first = places.updateValue(index, forKey: words.lowercased()) {
        throw EntityError(
          words, "it is named twice, as entity \(first + 1) and \(index + 1); name it once")
      }
      result.append(words)
    }
    return result
  }

  /// Entities with these names, ids in order from 1.
  ///
  /// - Throws: as ``checked(_:)``.
  public static func entities(_ names: [String]) throws(EntityError) -> [Entity] {
    try checked(names).enumerated().map { index, name in
      Entity(name: name, classID: index + 1, words: name)
    }
  }
}
