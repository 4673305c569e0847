/// A word of a prompt, or a sign that is none.
struct PromptWord {
  /// The word in lower case.
  var text: String
  /// Where it is, in bytes of the prompt's UTF-8.
  var range: Range<Int>
  /// Whether a hyphen joins it to the word before.
  var isJoined: Bool

  /// The words of a text; a hyphen between two of them joins them, other signs stand for themselves.
  static func split(_ text: String) -> [PromptWord] {
    var words: [PromptWord] = []
    var byte = 0
    var (isInWord, hyphens) = (false, 0)
    for character in text {
      let range = byte..<byte + character.utf8.count
      byte = range.upperBound
      let isWord = character.isLetter || character.isNumber
      if isWord && isInWord && hyphens == 0 {
        words[words.count - 1].text += character.lowercased()
        words[words.count - 1].range = words[words.count - 1].range.lowerBound..<range.upperBound
      } else if isWord {
        words.append(
          PromptWord(text: character.lowercased(), range: range, isJoined: isInWord && hyphens == 1)
        )
        (isInWord, hyphens) = (true, 0)
      } else if isInWord && hyphens == 0 && "-\u{2010}\u{2011}".contains(character) {
        hyphens = 1
      } else {
        (isInWord, hyphens) = (false, 0)
        if !character.isWhitespace {
          words.append(PromptWord(text: character.lowercased(), range: range, isJoined: false))
        }
      }
    }
    return words
  }
}
