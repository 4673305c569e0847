/// Normalisation form C as the reference computes it.
///
/// - Source: Unicode Standard Annex 15; the tables are measured, see `CompositionData`.
struct CanonicalComposition: Sendable {
  /// The tables, read once.
  static let shared = CanonicalComposition()

  private static let hangul: ClosedRange<UInt32> = 0xac00...0xd7a3
  private let decompositions: [UInt32: [UInt32]]
  private let compositions: [UInt64: UInt32]
  private let classes: [UInt32: UInt8]
  /// What may be the second part of a composition.
  private let seconds: Set<UInt32>

  private init() {
    var decompositions: [UInt32: [UInt32]] = [:]
    var composable: [UInt32] = []
    for word in tableWords(CompositionData.decompositions) {
      let composes = word.contains(UInt8(ascii: "="))
      let sides = word.split { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ">") }
      let scalar = hexadecimal(sides[0])
      decompositions[scalar] = sides[1].split(separator: UInt8(ascii: "+")).map(hexadecimal)
      if composes { composable.append(scalar) }
    }
    var classes: [UInt32: UInt8] = [:]
    for word in tableWords(CompositionData.combining) {
      let sides = word.split(separator: UInt8(ascii: ":"))
      let ends = sides[0].split(separator: UInt8(ascii: "-")).map(hexadecimal)
      for scalar in ends[0]...ends[ends.count - 1] {
        classes[scalar] = UInt8(hexadecimal(sides[1]))
      }
    }
    // What a scalar composes of is the composition of all parts but the last, and the last.
    var whole: [[UInt32]: UInt32] = [:]
    for scalar in composable { whole[decompositions[scalar] ?? []] = scalar }
    var compositions: [UInt64: UInt32] = [:]
    for scalar in composable {
      let parts = decompositions[scalar] ?? []
      let head = parts.count == 2 ? parts[0] : whole[Array(parts.dropLast())]
      guard let head, let last = parts.last else {
        preconditionFailure("the parts of U+\(String(scalar, radix: 16)) do not compose")
      }
      compositions[UInt64(head) << 32 | UInt64(last)] = scalar
    }
    self.decompositions = decompositions
    self.compositions = compositions
    self.classes = classes
    seconds = Set(compositions.keys.map { UInt32(truncatingIfNeeded: $0) })
  }

  /// Whether a scalar may change with what stands before it.
  ///
  /// It may where it, or the first part of what it is made of, is a combining mark or composes with what is before.
  func continues(_ scalar: UInt32) -> Bool {
    guard scalar >= 0x300 else { return false }
    if (0x1161..<0x1176).contains(scalar) || (0x11a8..<0x11c3).contains(scalar) { return true }
    let first = decompositions[scalar]?.first ?? scalar
    return (classes[first] ?? 0) != 0 || (classes[scalar] ?? 0) != 0 || seconds.contains(scalar)
      || seconds.contains(first)
  }

  /// The text in normalisation form C.
  func callAsFunction(_ text: [UInt32]) -> [UInt32] {
    if text.allSatisfy({ $0 < 0x300 }) { return text }
    return composed(ordered(decomposed(text)))
  }

  private func decomposed(_ text: [UInt32]) -> [UInt32] {
    var result: [UInt32] = []
    result.reserveCapacity(text.count)
    for scalar in text {
      if scalar < 0xc0 {
        result.append(scalar)
      } else if CanonicalComposition.hangul.contains(scalar) {
        let index = scalar - 0xac00
        result.append(0x1100 + index / 588)
        result.append(0x1161 + index % 588 / 28)
        if index % 28 != 0 { result.append(0x11a7 + index % 28) }
      } else if let parts = decompositions[scalar] {
        result.append(contentsOf: parts)
      } else {
        result.append(scalar)
      }
    }
    return result
  }

  /// Sorts every run of combining marks by class, marks of one class staying in order.
  private func ordered(_ text: [UInt32]) -> [(scalar: UInt32, rank: UInt8)] {
    var result = text.map { (scalar: $0, rank: $0 < 0x300 ? 0 : classes[$0] ?? 0) }
    var start = 0
    while start < result.count {
      if result[start].rank == 0 {
        start += 1
        continue
      }
      var end = start + 1
      while end < result.count && result[end].rank != 0 { end += 1 }
      if end - start > 1 {
        let run = Array(result[start..<end].enumerated())
        let sorted = run.sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
        for (offset, item) in sorted.enumerated() { result[start + offset] = item.element }
      }
      start = end
    }
    return result
  }

  private func composed(_ text: [(scalar: UInt32, rank: UInt8)]) -> [UInt32] {
    var result: [UInt32] = []
    result.reserveCapacity(text.count)
    var starter: Int?
    var last: UInt8 = 0
    // Nothing below U+0300 is the second part of a composition.
    for (scalar, rank) in text {
      if let starter, scalar >= 0x300, result.count - 1 == starter || last < rank,
        let whole = composition(result[starter], scalar)
      {
        result[starter] = whole
        continue
      }
      if rank == 0 { starter = result.count }
      last = rank
      result.append(scalar)
    }
    return result
  }

  private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if first >= 0x1100 && first < 0x1113 && second >= 0x1161 && second < 0x1176 {
      return 0xac00 + (first - 0x1100) * 588 + (second - 0x1161) * 28
    }
    if CanonicalComposition.hangul.contains(first) && (first - 0xac00) % 28 == 0
      && second > 0x11a7 && second < 0x11c3
    {
      return first + second - 0x11a7
    }
    return compositions[UInt64(first) << 32 | UInt64(second)]
  }
}
