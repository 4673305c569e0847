/// Finds where a prompt names entities.
///
/// Words are sought whole, in any letter case, in singular and plural, with any white space or a hyphen between
/// them. The longest wording wins wherever two overlap ("hot dog" before "dog"); of equally long ones the leftmost,
/// and words before synonyms.
public struct EntityFinder: Sendable {
  /// A place where a prompt names an entity.
  public struct Mention: Sendable, Equatable {
    /// Which of the finder's entities.
    public var index: Int
    /// Where, in bytes of the prompt's UTF-8.
    public var range: Range<Int>
    /// The words there, as the prompt has them.
    public var words: String
    /// Whether they are a synonym of the entity's words.
    public var isSynonym: Bool
  }

  private struct Wording: Sendable {
    var index: Int
    var isSynonym: Bool
  }

  /// The entities sought.
  public let entities: [Entity]
  private var wordings: [[String]: Wording] = [:]
  private var longest = 0

  /// A finder of entities by their words and synonyms; where two share a wording the first one has it, unless it
  /// is a synonym there and the words of the other.
  public init(_ entities: [Entity]) {
    self.entities = entities
    for (index, entity) in entities.enumerated() { add(entity.words, index, isSynonym: false) }
    for (index, entity) in entities.enumerated() {
      for synonym in entity.synonyms { add(synonym, index, isSynonym: true) }
    }
  }

  private mutating func add(_ words: String, _ index: Int, isSynonym: Bool) {
    // The wording itself comes before the forms of others: "glass" and "glasses" may both be classes.
    for form in EnglishPlural.forms(of: words) {
      let key = PromptWord.split(form).map(\.text)
      let isItself = form == words.lowercased()
      guard !key.isEmpty, wordings[key] == nil || isItself && !isTaken(key, isSynonym) else {
        continue
      }
      wordings[key] = Wording(index: index, isSynonym: isSynonym)
      longest = max(longest, key.count)
    }
  }

  /// Whether a wording is written out for another entity, and with the same right.
  private func isTaken(_ key: [String], _ isSynonym: Bool) -> Bool {
    guard let holder = wordings[key] else { return false }
    if holder.isSynonym != isSynonym { return !holder.isSynonym }
    let entity = entities[holder.index]
    let texts = holder.isSynonym ? entity.synonyms : [entity.words]
    return texts.contains { PromptWord.split($0).map(\.text) == key }
  }

  /// Every place where a prompt names one, in order.
  public func mentions(in prompt: String) -> [Mention] {
    let words = PromptWord.split(prompt)
    var found: [(first: Int, count: Int, wording: Wording)] = []
    for first in words.indices where !words[first].isJoined {
      for count in 1...max(1, min(longest, words.count - first)) {
        let next = first + count
        guard next == words.count || !words[next].isJoined,
          let wording = wordings[words[first..<next].map(\.text)]
        else { continue }
        found.append((first, count, wording))
      }
    }
    found.sort { ($1.count, $0.first) < ($0.count, $1.first) }
    var isTaken = [Bool](repeating: false, count: words.count)
    var mentions: [Mention] = []
    let bytes = Array(prompt.utf8)
    for (first, count, wording) in found where !isTaken[first..<first + count].contains(true) {
      for word in first..<first + count { isTaken[word] = true }
      let range = words[first].range.lowerBound..<words[first + count - 1].range.upperBound
      mentions.append(
        Mention(
          index: wording.index, range: range, words: String(decoding: bytes[range], as: UTF8.self),
          isSynonym: wording.isSynonym))
    }
    return mentions.sorted { $0.range.lowerBound < $1.range.lowerBound }
  }

  /// All entities in their order, with the first place the prompt names each at and the words it has there.
  ///
  /// Synonyms count where the prompt has none of the entity's words; ``Entity/mention`` is nil for entities that it
  /// does not name.
  public func located(in prompt: String) -> [Entity] {
    var first: [Int: Mention] = [:]
    for mention in mentions(in: prompt) {
      guard let known = first[mention.index] else {
        first[mention.index] = mention
        continue
      }
      if known.isSynonym && !mention.isSynonym { first[mention.index] = mention }
    }
    return entities.enumerated().map { index, entity in
      var entity = entity
      entity.mention = first[index]?.range
      if let words = first[index]?.words { entity.words = words }
      return entity
    }
  }
}
