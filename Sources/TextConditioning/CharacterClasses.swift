/// What a Unicode scalar is to the tokenizer's patterns, and its lower case.
///
/// Swift's own tables are not used: the reference mixes three versions of Unicode, and ids must not change
/// with the toolchain.
struct CharacterClasses: Sendable {
  /// The classes that the patterns tell apart.
  enum Kind: UInt8, Sendable {
    case letter, number, space, other
  }

  /// The tables, read once.
  static let shared = CharacterClasses()

  private let starts: [UInt32]
  private let kinds: [Kind]
  private let low: [Kind]
  private let lower: [UInt32: UInt32]

  private init() {
    var (starts, kinds, low): ([UInt32], [Kind], [Kind]) = ([], [], [])
    var next: UInt32 = 0
    for word in tableWords(CharacterClassData.classes) {
      let kind: Kind =
        switch word.last {
        case UInt8(ascii: "L"): .letter
        case UInt8(ascii: "N"): .number
        case UInt8(ascii: "S"): .space
        default: .other
        }
      let length = hexadecimal(word.dropLast())
      starts.append(next)
      kinds.append(kind)
      let shown = Int(min(length, 0x300 - min(next, 0x300)))
      low.append(contentsOf: repeatElement(kind, count: shown))
      next += length
    }
    precondition(next == 0x110000, "the character classes end at \(next)")
    (self.starts, self.kinds, self.low) = (starts, kinds, low)
    lower = CharacterClasses.lowerCase()
  }

  private static func lowerCase() -> [UInt32: UInt32] {
    var lower: [UInt32: UInt32] = [:]
    for word in tableWords(CharacterClassData.lower) {
      let sides = word.split(separator: UInt8(ascii: "="))
      let runs = sides[0].split(separator: UInt8(ascii: "/"))
      let ends = runs[0].split(separator: UInt8(ascii: "-")).map(hexadecimal)
      let stride = runs.count > 1 ? hexadecimal(runs[1]) : 1
      var target = hexadecimal(sides[1])
      var scalar = ends[0]
      while scalar <= ends[ends.count - 1] {
        lower[scalar] = target
        scalar += stride
        target += stride
      }
    }
    return lower
  }

  /// The class of a scalar.
  func kind(_ scalar: UInt32) -> Kind {
    if scalar < 0x300 { return low[Int(scalar)] }
    var (first, last) = (0, starts.count)
    while last - first > 1 {
      let middle = (first + last) / 2
      if starts[middle] <= scalar { first = middle } else { last = middle }
    }
    return kinds[first]
  }

  /// Appends the lower case of a scalar, which depends on no neighbour (a final sigma stays σ).
  func appendLower(_ scalar: UInt32, to text: inout [UInt32]) {
    if scalar < 0x80 {
      text.append(scalar >= 0x41 && scalar <= 0x5a ? scalar + 0x20 : scalar)
    } else if scalar == 0x130 {
      text.append(contentsOf: [0x69, 0x307])
    } else {
      text.append(lower[scalar] ?? scalar)
    }
  }
}

/// The words of one of the tables, as bytes.
func tableWords(_ table: String) -> [ArraySlice<UInt8>] {
  Array(table.utf8).split { $0 == 0x20 || $0 == 0x0a }
}

/// The number that hexadecimal digits of a table spell.
func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32 {
  digits.reduce(0) { $0 << 4 | UInt32($1 < 0x3a ? $1 - 0x30 : $1 - 0x57) }
}
