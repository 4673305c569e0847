/// Strings that the generator of the fixtures draws in the same way.
struct TextStrings: Decodable {
  var snippets: [String]
  var separators: [String]
  var ranges: [[Int]]

  /// The strings of one block.
  func block(_ index: Int, count: Int = 500) -> [String] {
    var draw = Draw(seed: UInt64(index))
    return (0..<count).map { _ in string(&draw) }
  }

  /// Every scalar of 4096 beside letters, numbers and combining marks, 16 scalars a string.
  static func scalars(from first: Int) -> [String] {
    stride(from: first, to: first + 4096, by: 16).map { start in
      var text = String.UnicodeScalarView()
      for scalar in (start..<start + 16).compactMap({ Unicode.Scalar(UInt32($0)) }) {
        for part: [Unicode.Scalar] in [
          ["X", scalar, "1", scalar], ["\u{323}", "\u{301}", " ", "\u{345}", scalar, " "],
        ] {
          text.append(contentsOf: part)
        }
      }
      return String(text)
    }
  }

  private func string(_ draw: inout Draw) -> String {
    var text = String.UnicodeScalarView()
    for _ in 0..<1 + draw(10) {
      if draw(8) < 5 {
        text.append(contentsOf: snippets[draw(snippets.count)].unicodeScalars)
      } else {
        let range = ranges[draw(ranges.count)]
        for _ in 0..<1 + draw(6) {
          let value = range[0] + draw(range[1] - range[0] + 1)
          let isSurrogate = (0xd800..<0xe000).contains(value)
          if let scalar = Unicode.Scalar(UInt32(isSurrogate ? value - 0xa000 : value)) {
            text.append(scalar)
          }
        }
      }
      text.append(contentsOf: separators[draw(separators.count)].unicodeScalars)
    }
    return String(text)
  }
}

/// A linear congruential generator, the same in generate_tokenizer.py.
struct Draw {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

  mutating func callAsFunction(_ count: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(count))
  }
}

/// FNV-1a over ids of four bytes each, least significant first, with 0xffffffff behind every sequence.
struct IDDigest {
  private var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ ids: [Int]) {
    for id in ids { add(UInt32(id)) }
    add(UInt32.max)
  }

  private mutating func add(_ number: UInt32) {
    for shift in [0, 8, 16, 24] as [UInt32] {
      value = (value ^ UInt64(number >> shift & 0xff)) &* 0x100_0000_01b3
    }
  }

  var text: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
