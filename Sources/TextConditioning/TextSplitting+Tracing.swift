extension TextSplitting {
  /// ``normalized(_:)`` with, for every scalar of the result, the indices of what it was made from.
  ///
  /// Text is composed cluster by cluster: a new one begins where a scalar can neither be sorted among the ones
  /// before it nor compose with them, so that the whole is composed as it would be at once.
  static func traced(_ text: ArraySlice<UInt32>) -> (text: [UInt32], origins: [Range<Int>]) {
    let classes = CharacterClasses.shared
    let composition = CanonicalComposition.shared
    var (result, origins): ([UInt32], [Range<Int>]) = ([], [])
    var isInSpace = false
    var start = text.startIndex
    while start < text.endIndex {
      var end = start + 1
      while end < text.endIndex && composition.continues(text[end]) { end += 1 }
      let cluster = Array(text[start..<end])
      let composed = composition(cluster)
      for (index, scalar) in composed.enumerated() {
        let origin =
          composed == cluster ? start + index..<start + index + 1 : start..<end
        let isSpace = classes.kind(scalar) == .space
        if !isSpace {
          classes.appendLower(scalar, to: &result)
        } else if !isInSpace {
          result.append(0x20)
        }
        isInSpace = isSpace
        origins += repeatElement(origin, count: result.count - origins.count)
      }
      start = end
    }
    return (result, origins)
  }
}
