/// Plural and singular forms of English nouns, by rule and by a table of what no rule covers.
///
/// Phrases are taken by their head: the last word, or the last one before a preposition ("cups of tea").
/// Words that the table does not know are taken to be regular; what is plural already is not recognised as such
/// unless it is in the table.
public enum EnglishPlural {
  /// The plural of a noun phrase, for more than one of it.
  ///
  /// Mass nouns and nouns without a singular stay as they are ("sheep", "scissors", "broccoli"). Letter case is
  /// kept, as is everything but the head.
  public static func plural(of phrase: String) -> String {
    guard let head = headRange(of: phrase) else { return phrase }
    return replacing(head, of: phrase) { pluralWord($0) }
  }

  /// Every way to write a phrase in one number or the other, itself first, lower case and without doubles.
  ///
  /// A word that may itself be a plural brings the words it may be the plural of; some of them are no words.
  public static func forms(of phrase: String) -> [String] {
    let phrase = phrase.lowercased()
    guard let head = headRange(of: phrase) else { return [phrase] }
    let word = String(phrase[head])
    var forms = [word, pluralWord(word)]
    if let other = EnglishPluralTable.otherPlurals[word] { forms.append(other) }
    forms.append(regularPlural(word))
    for candidate in singularCandidates(word) where isPlural(word, of: candidate) {
      forms += [candidate, pluralWord(candidate)]
    }
    var seen: Set<String> = []
    return forms.filter { seen.insert($0).inserted }.map { form in
      replacing(head, of: phrase) { _ in form }
    }
  }

  /// Whether one phrase is a form of the other, letter case apart.
  public static func areForms(_ first: String, _ second: String) -> Bool {
    let (first, second) = (first.lowercased(), second.lowercased())
    return forms(of: first).contains(second) || forms(of: second).contains(first)
  }

  /// Where the head of a phrase is: the last word before the first preposition behind a word.
  private static func headRange(of phrase: String) -> Range<String.Index>? {
    let words = phrase.split { $0.isWhitespace }
    let end =
      words.dropFirst().firstIndex { EnglishPluralTable.prepositions.contains($0.lowercased()) }
      ?? words.endIndex
    guard let head = words[..<end].last else { return nil }
    // "mothers-in-law", but "t-shirts".
    if let inner = head.range(ofFirst: ["-in-", "-of-"]) { return head.startIndex..<inner }
    if let hyphen = head.lastIndex(of: "-"), head.index(after: hyphen) < head.endIndex {
      return head.index(after: hyphen)..<head.endIndex
    }
    return head.startIndex..<head.endIndex
  }

  private static func replacing(
    _ head: Range<String.Index>, of phrase: String, _ change: (String) -> String
  ) -> String {
    phrase[..<head.lowerBound] + change(String(phrase[head])) + phrase[head.upperBound...]
  }

  private static func pluralWord(_ word: String) -> String {
    let lower = word.lowercased()
    let plural = lowerPlural(lower)
    if word == lower { return plural }
    let isCapitals = word.count > 1 && word == word.uppercased()
    if isCapitals {
      // "TVs" is an abbreviation's plural, "BUSES" a shouted word's.
      return lower.contains { "aeiou".contains($0) } && word.count > 2
        ? plural.uppercased() : word + "s"
    }
    let kept = zip(word, plural).prefix { $0.lowercased() == String($1) }.count
    return String(word.prefix(kept)) + String(plural.dropFirst(kept))
  }

  private static func lowerPlural(_ word: String) -> String {
    if EnglishPluralTable.unchanging.contains(word) { return word }
    if let plural = EnglishPluralTable.irregular[word] { return plural }
    if !EnglishPluralTable.regularInspiteOfEnding.contains(word) {
      for (ending, plural) in EnglishPluralTable.irregularEndings where word.hasSuffix(ending) {
        return word.dropLast(ending.count) + plural
      }
    }
    return regularPlural(word)
  }

  private static func regularPlural(_ word: String) -> String {
    let last = word.suffix(2)
    if ["s", "x", "z"].contains(word.suffix(1)) || ["ch", "sh"].contains(last) {
      return word + "es"
    }
    if last.count == 2, last.hasSuffix("y"), let before = last.first, !"aeou".contains(before),
      before.isLetter
    {
      return word.dropLast() + "ies"
    }
    return word + "s"
  }

  /// Words whose plural might be `word`.
  private static func singularCandidates(_ word: String) -> [String] {
    var candidates = EnglishPluralTable.singulars[word] ?? []
    for (ending, plural) in EnglishPluralTable.irregularEndings where word.hasSuffix(plural) {
      candidates.append(word.dropLast(plural.count) + ending)
    }
    // "bus", "glass" and "tennis" are no plurals; "skis" is, and is in the table.
    guard word.hasSuffix("s"), !["us", "ss", "is"].contains(word.suffix(2)),
      !EnglishPluralTable.singularInS.contains(word)
    else { return candidates }
    if word.hasSuffix("ies") { candidates.append(word.dropLast(3) + "y") }
    if word.hasSuffix("es") { candidates.append(String(word.dropLast(2))) }
    candidates.append(String(word.dropLast()))
    return candidates.filter { !$0.isEmpty }
  }

  private static func isPlural(_ word: String, of candidate: String) -> Bool {
    candidate != word
      && (lowerPlural(candidate) == word || EnglishPluralTable.otherPlurals[candidate] == word)
  }
}

extension Substring {
  /// Where the first of some texts begins, behind the first character.
  fileprivate func range(ofFirst texts: [String]) -> String.Index? {
    guard let second = index(startIndex, offsetBy: 1, limitedBy: endIndex) else { return nil }
    return indices[second...].first { place in texts.contains { self[place...].hasPrefix($0) } }
  }
}
