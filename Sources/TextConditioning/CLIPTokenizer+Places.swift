extension CLIPTokenizer {
  /// A token and what it stands for.
  public struct PlacedToken: Sendable, Equatable {
    /// Its id.
    public var id: Int
    /// The part of the text that it was made from, in bytes of its UTF-8.
    public var range: Range<Int>
  }

  /// The tokens of a text, whatever its length, without begin and end, each with its part of the text.
  ///
  /// The ids are those of ``encode(_:)``. Ranges are in order; they meet or overlap only where several tokens are
  /// made of one character or stand for one added word. A base and its marks that are composed count as one.
  public func placedTokens(of text: String) -> [PlacedToken] {
    let scalars = TextSplitting.scalars(text)
    var starts = [0]
    starts.reserveCapacity(scalars.count + 1)
    for scalar in text.unicodeScalars {
      starts.append(starts[starts.count - 1] + UTF8.width(scalar))
    }
    var tokens: [PlacedToken] = []
    for stretch in verbatim.stretches(of: scalars) {
      switch stretch {
      case .token(let id, let range):
        tokens.append(.init(id: id, range: starts[range.lowerBound]..<starts[range.upperBound]))
      case .text(let part):
        let traced = TextSplitting.traced(part)
        for token in placedTokens(normalized: traced.text) {
          let first = traced.origins[token.range.lowerBound].lowerBound
          let last = traced.origins[token.range.upperBound - 1].upperBound
          tokens.append(.init(id: token.id, range: starts[first]..<starts[last]))
        }
      }
    }
    return tokens
  }

  /// Tokens of normalised text with their ranges in it.
  private func placedTokens(normalized text: [UInt32]) -> [PlacedToken] {
    var tokens: [PlacedToken] = []
    for stretch in normalized.stretches(of: text) {
      switch stretch {
      case .token(let id, let range):
        tokens += (expansions[id] ?? [id]).map { .init(id: $0, range: range) }
      case .text(let part):
        TextSplitting.forEachPiece(of: part) { piece in
          let scalarOfByte = Self.scalarsOfBytes(piece)
          var byte = 0
          merges.apply(to: symbols(piece)) { id, count in
            let range = scalarOfByte[byte]..<scalarOfByte[byte + count - 1] + 1
            tokens.append(.init(id: id, range: range))
            byte += count
          }
        }
      }
    }
    return tokens
  }

  /// For every byte of a piece the index of its scalar.
  private static func scalarsOfBytes(_ piece: ArraySlice<UInt32>) -> [Int] {
    var bytes: [UInt8] = []
    var places: [Int] = []
    for index in piece.indices {
      appendBytes(of: piece[index], to: &bytes)
      places += repeatElement(index, count: bytes.count - places.count)
    }
    return places
  }
}
