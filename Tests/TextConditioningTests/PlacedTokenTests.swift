import Foundation
import TestSupport
import Testing
import TextConditioning

/// Places of tokens beside the offsets of transformers' CLIPTokenizerFast (Tests/Fixtures/masks/generate.py).
struct PlacedTokenTests {
  private struct Case: Decodable {
    var text: String
    var ids: [Int]
    var places: [Int]
  }

  private static func cases() throws -> [Case] {
    try Data(contentsOf: Fixture.folder.appendingPathComponent("masks/places.jsonl"))
      .split(separator: UInt8(ascii: "\n")).map {
        try JSONDecoder().decode(Case.self, from: Data($0))
      }
  }

  @Test func placesAgree() throws {
    let tokenizer = try TextFixtures.tokenizer("sd1")
    let cases = try Self.cases()
    #expect(cases.count > 300)
    var (equal, wider) = (0, 0)
    for item in cases {
      let found = tokenizer.placedTokens(of: item.text)
      #expect(found.map(\.id) == item.ids, "\(item.text.debugDescription)")
      for (index, token) in found.enumerated() where item.places.count > 2 * index + 1 {
        let expected = item.places[2 * index]..<item.places[2 * index + 1]
        if token.range == expected {
          equal += 1
          continue
        }
        // The reference counts of a composed character only its first part.
        wider += 1
        let whole = Self.cluster(around: expected, in: item.text)
        #expect(
          token.range.contains(expected) && whole.contains(token.range),
          "\(item.text.debugDescription) token \(index): \(token.range), expected \(expected)")
      }
    }
    print("places of tokens: \(equal) equal, \(wider) wider by parts of a composed character")
    #expect(equal > 20 * wider)
  }

  @Test(arguments: TextFixtures.flavours) func idsAreThoseOfEncoding(flavour: String) throws {
    let tokenizer = try TextFixtures.tokenizer(flavour)
    let strings: TextStrings = try TextFixtures.decoded("strings.json")
    for block in 0..<4 {
      for text in strings.block(block) {
        let found = tokenizer.placedTokens(of: text)
        #expect(found.map(\.id) == tokenizer.encode(text), "\(text.debugDescription)")
        #expect(
          found.allSatisfy { !$0.range.isEmpty && $0.range.upperBound <= text.utf8.count },
          "\(text.debugDescription)")
        #expect(
          zip(found, found.dropFirst()).allSatisfy {
            $0.range.lowerBound <= $1.range.lowerBound
          }, "\(text.debugDescription)")
      }
    }
  }

  /// A range of bytes made longer until it begins and ends with characters.
  private static func cluster(around range: Range<Int>, in text: String) -> Range<Int> {
    var (first, last, byte) = (range.lowerBound, range.upperBound, 0)
    for character in text {
      let end = byte + character.utf8.count
      if byte < range.lowerBound && range.lowerBound < end { first = byte }
      if byte < range.upperBound && range.upperBound < end { last = end }
      byte = end
    }
    return first..<last
  }
}
