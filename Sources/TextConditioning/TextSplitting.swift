/// The reference's normaliser and splitting patterns, on arrays of Unicode scalars.
enum TextSplitting {
  /// Form C, runs of white space as one blank, lower case.
  static func normalized(_ text: [UInt32]) -> [UInt32] {
    let classes = CharacterClasses.shared
    var result: [UInt32] = []
    result.reserveCapacity(text.count)
    var isInSpace = false
    for scalar in CanonicalComposition.shared(text) {
      let isSpace = classes.kind(scalar) == .space
      if !isSpace {
        classes.appendLower(scalar, to: &result)
      } else if !isInSpace {
        result.append(0x20)
      }
      isInSpace = isSpace
    }
    return result
  }

  /// Calls `body` with every piece of normalised text that is merged for itself, in order.
  ///
  /// Pieces are contractions (`'s`), runs of letters, single numbers and runs of everything else but white
  /// space. The written-out `<|startoftext|>` and `<|endoftext|>` are cut out first and then, by the
  /// reference's second pattern, into three pieces each.
  static func forEachPiece(of text: ArraySlice<UInt32>, _ body: (ArraySlice<UInt32>) -> Void) {
    let classes = CharacterClasses.shared
    var index = text.startIndex
    while index < text.endIndex {
      let rest = text[index...]
      let kind = classes.kind(text[index])
      var end = index + 1
      switch kind {
      case .space:
        index = end
        continue
      case .number: break
      case .letter:
        while end < text.endIndex && classes.kind(text[end]) == .letter { end += 1 }
      case .other:
        if text[index] == 0x3c, let literal = literals.first(where: rest.starts(with:)) {
          body(rest.prefix(2))
          body(rest.prefix(literal.count).dropFirst(2).dropLast(2))
          index += literal.count
          body(text[index - 2..<index])
          continue
        }
        if text[index] == 0x27, let suffix = contractions.first(where: rest.starts(with:)) {
          end = index + suffix.count
        } else {
          while end < text.endIndex && classes.kind(text[end]) == .other { end += 1 }
        }
      }
      body(text[index..<end])
      index = end
    }
  }

  private static let literals = ["<|startoftext|>", "<|endoftext|>"].map(scalars)
  private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map(scalars)

  /// The scalars of a text.
  static func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }
}
