import MaskGrounding

/// A prompt as it grows, with the places where it names objects.
package struct PromptText {
  /// An object to name.
  package struct Object {
    /// Its class's position in the vocabulary.
    var position: Int
    /// Its class.
    var named: VocabularyClass
    /// How many of it.
    var count = 1
    /// What stands before its words, such as "old".
    var adjective: String?

    /// Names a class of a vocabulary, once or several times.
    package init(
      position: Int, named: VocabularyClass, count: Int = 1, adjective: String? = nil
    ) {
      self.position = position
      self.named = named
      self.count = count
      self.adjective = adjective
    }
  }

  package private(set) var text = ""
  package private(set) var mentions: [GenerationPlan.Mention] = []
  /// An article to put before whatever comes next.
  private var awaitsArticle: (pending: Bool, capital: Bool) = (false, false)

  /// No text yet.
  package init() {}

  /// Appends text as it is, behind an article that was asked for.
  package mutating func append(_ words: String) {
    if awaitsArticle.pending {
      text += Self.capitalised(EnglishArticle.before(words), if: awaitsArticle.capital) + " "
      awaitsArticle = (false, false)
    }
    text += words
  }

  /// Asks for "a" or "an" before what is appended next.
  mutating func expectArticle(capital: Bool) { awaitsArticle = (true, capital) }

  /// Appends an object: "a mug", "an old mug", "two mugs", "a pair of scissors"; without its article "mug".
  mutating func append(_ object: Object, withArticle: Bool, capital: Bool = false) {
    let named = object.named
    let count = named.isCountable ? object.count : 1
    var lead: [String] = []
    var words = named.words
    if count > 1 {
      lead.append(Self.number(count))
      if let measure = named.measure {
        lead.append("\(EnglishPlural.plural(of: measure)) of")
      } else {
        words = named.plural
      }
    } else if withArticle {
      lead.append(named.article(before: object.adjective))
    }
    if let adjective = object.adjective { lead.append(adjective) }
    lead.removeAll { $0.isEmpty }
    if !lead.isEmpty {
      text += Self.capitalised(lead.joined(separator: " "), if: capital) + " "
    } else {
      words = Self.capitalised(words, if: capital)
    }
    let start = text.utf8.count
    text += words
    mentions.append(
      GenerationPlan.Mention(
        classPosition: object.position, words: words, count: count, range: start..<text.utf8.count))
  }

  /// Appends objects as people list them: "a dog", "a dog and a cat", "a dog, a cat and a mug".
  package mutating func append(_ objects: [Object]) {
    for (place, object) in objects.enumerated() {
      if place > 0 { text += place == objects.count - 1 ? " and " : ", " }
      append(object, withArticle: true)
    }
  }

  private static func capitalised(_ words: String, if capital: Bool) -> String {
    capital ? words.prefix(1).uppercased() + words.dropFirst() : words
  }

  /// Numbers up to ten are written out.
  private static func number(_ count: Int) -> String {
    let words = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    return 2...10 ~= count ? words[count - 2] : String(count)
  }
}
