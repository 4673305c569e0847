/// "a" or "an", by the sound that follows.
enum EnglishArticle {
  /// Beginnings that are written with a vowel and spoken with a consonant: "a unicycle", "a urinal", "a one-way sign".
  private static let spokenWithConsonant = [
    "uni", "use", "usu", "uke", "ukr", "uga", "ura", "uri", "uru", "ute", "uti", "uto", "ubi", "eu",
    "ewe", "one", "once", "oui",
  ]
  /// Exceptions from those: "an unimportant bag", "an unidentified object".
  private static let spokenWithVowel = ["unim", "unin", "unide", "uniss"]
  /// Beginnings with a silent letter: "an hourglass".
  private static let silent = ["hour", "honest", "heir", "honor", "honour"]
  /// Letters whose names begin with a vowel: "an x-ray", "an SUV".
  private static let vowelNames = Set("aefhilmnorsx")
  private static let vowels = Set("aeiouáàâäãåāæéèêëēíìîïīóòôöõøōœúùûüū")

  /// The article before `words`.
  static func before(_ words: some StringProtocol) -> String { isVowel(words) ? "an" : "a" }

  private static func isVowel(_ words: some StringProtocol) -> Bool {
    let first = words.prefix { !$0.isWhitespace }
    let word = first.lowercased()
    guard let letter = word.first else { return false }
    if letter.isNumber {
      return letter == "8" || ["11", "18"].contains(word.prefix { $0.isNumber })
    }
    // Said letter by letter: "x-ray", "SUV".
    let isCapitals = 2...4 ~= first.count && first == first.uppercased()
    let isSpelt = isCapitals || word.dropFirst().first == "-"
    if isSpelt && letter.isASCII { return vowelNames.contains(letter) }
    if silent.contains(where: word.hasPrefix) { return true }
    if spokenWithVowel.contains(where: word.hasPrefix) { return true }
    if spokenWithConsonant.contains(where: word.hasPrefix) { return false }
    return vowels.contains(letter)
  }
}
