/// A token that is recognised in the text itself, before the text is split into pieces.
struct AddedToken: Sendable, Equatable {
  /// How it is written.
  var content: String
  /// Whether it is sought in the normalised text (any case) or in the text as given.
  var isNormalized: Bool
}

/// Added tokens of one kind, sought leftmost first and longest first.
struct AddedTokens: Sendable {
  private var patterns: [UInt32: [(scalars: [UInt32], id: Int)]] = [:]
  /// A bit for the last six bits of every first scalar, so that most scalars need no look-up.
  private var firstBits: UInt64 = 0

  /// Adds a token.
  ///
  /// - Returns: false where the same spelling is there already.
  mutating func add(_ scalars: [UInt32], id: Int) -> Bool {
    guard let first = scalars.first else { return false }
    var rivals = patterns[first] ?? []
    if rivals.contains(where: { $0.scalars == scalars }) { return false }
    rivals.append((scalars, id))
    rivals.sort { $0.scalars.count > $1.scalars.count }
    patterns[first] = rivals
    firstBits |= 1 << UInt64(first & 63)
    return true
  }

  /// A stretch of a text: ordinary text, or one added token and where it is written.
  enum Stretch {
    case text(ArraySlice<UInt32>)
    case token(Int, Range<Int>)
  }

  /// Cuts a text at the added tokens, leaving out empty stretches.
  func stretches(of text: [UInt32]) -> [Stretch] {
    var stretches: [Stretch] = []
    var (start, index) = (0, 0)
    while index < text.count {
      guard firstBits >> UInt64(text[index] & 63) & 1 == 1, let rivals = patterns[text[index]],
        let found = rivals.first(where: { text[index...].starts(with: $0.scalars) })
      else {
        index += 1
        continue
      }
      if start < index { stretches.append(.text(text[start..<index])) }
      stretches.append(.token(found.id, index..<index + found.scalars.count))
      index += found.scalars.count
      start = index
    }
    if start < text.count { stretches.append(.text(text[start...])) }
    return stretches
  }
}
