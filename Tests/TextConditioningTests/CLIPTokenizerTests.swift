import Testing
import TextConditioning

/// Ids beside those of transformers' CLIPTokenizerFast.
struct CLIPTokenizerTests {
  private struct Awkward: Decodable {
    var text: String
    var ids: [String: [Int]]
  }

  private struct Repeated: Decodable {
    var unit: String
    var count: Int
    var digests: [String: String]
  }

  @Test(arguments: TextFixtures.flavours) func awkwardStringsHaveTheReferencesIDs(_ flavour: String)
    throws
  {
    let tokenizer = try TextFixtures.tokenizer(flavour)
    let cases: [Awkward] = try TextFixtures.lines("awkward.jsonl")
    #expect(cases.count == 340)
    for item in cases {
      let expected = try #require(item.ids[flavour])
      let found = tokenizer.encode(item.text)
      #expect(
        found == expected,
        "\(item.text.debugDescription): \(tokenizer.pieces(found)), \(tokenizer.pieces(expected))")
    }
  }

  @Test(arguments: TextFixtures.flavours) func drawnStringsHaveTheReferencesIDs(_ flavour: String)
    throws
  {
    let tokenizer = try TextFixtures.tokenizer(flavour)
    let strings: TextStrings = try TextFixtures.decoded("strings.json")
    let digests: [String: [String]] = try TextFixtures.decoded("digests.json")
    let expected = try #require(digests[flavour])
    #expect(expected.count >= 20)
    var wrong: [Int] = []
    for (block, digest) in expected.enumerated() {
      let texts = strings.block(block)
      var found = IDDigest()
      for text in texts { found.add(tokenizer.encode(text)) }
      for text in texts { found.add(tokenizer(text)) }
      if found.text != digest { wrong.append(block) }
    }
    print("\(flavour): \(expected.count * 500) strings, \(wrong.count) blocks of 500 differ")
    #expect(wrong.isEmpty, "blocks with another id somewhere: \(wrong)")
  }

  @Test(arguments: TextFixtures.flavours) func longTextsHaveTheReferencesIDs(_ flavour: String)
    throws
  {
    let tokenizer = try TextFixtures.tokenizer(flavour)
    let cases: [Repeated] = try TextFixtures.decoded("long.json")
    for item in cases {
      var found = IDDigest()
      found.add(tokenizer.encode(String(repeating: item.unit, count: item.count)))
      #expect(
        found.text == item.digests[flavour], "\(item.count) times \(item.unit.debugDescription)")
    }
  }

  @Test func everyScalarHasTheReferencesIDs() throws {
    let tokenizer = try TextFixtures.tokenizer("small")
    let expected: [String] = try TextFixtures.decoded("scalars.json")
    #expect(expected.count == 0x110)
    for (block, digest) in expected.enumerated() {
      var found = IDDigest()
      for text in TextStrings.scalars(from: block * 4096) { found.add(tokenizer.encode(text)) }
      #expect(found.text == digest, "a scalar from U+\(String(block * 4096, radix: 16)) on")
    }
  }

  @Test(arguments: ["sd1", "sd2", "declared", "legacy"])
  func textsAreCutAndPaddedAsInTheReference(_ flavour: String) throws {
    let tokenizer = try TextFixtures.tokenizer(flavour)
    let cases: [Awkward] = try TextFixtures.decoded("padded.json")
    #expect(cases.count == 9)
    for item in cases {
      #expect(tokenizer(item.text) == item.ids[flavour], "\(item.text.prefix(40))")
      #expect(tokenizer(item.text).count == tokenizer.length)
    }
  }

  @Test func stableDiffusionOneAndTwoPadDifferently() throws {
    let (first, second) = (try TextFixtures.tokenizer("sd1"), try TextFixtures.tokenizer("sd2"))
    #expect([first.beginID, first.endID, first.padID, first.length] == [49406, 49407, 49407, 77])
    #expect([second.beginID, second.endID, second.padID, second.length] == [49406, 49407, 0, 77])
    #expect(first.largestID == 49407)
  }

  @Test func piecesAreTheVocabularysSpellings() throws {
    let tokenizer = try TextFixtures.tokenizer("sd1")
    let ids = tokenizer.encode("A naïve photo's <|endoftext|>")
    #expect(
      tokenizer.pieces(ids) == [
        "a</w>", "na", "Ã¯", "ve</w>", "photo</w>", "'s</w>", "<|endoftext|>",
      ])
    #expect(tokenizer.pieces([]) == [])
  }

  @Test func canonicallyEqualTextsHaveEqualIDs() throws {
    let tokenizer = try TextFixtures.tokenizer("small")
    #expect(tokenizer.encode("caf\u{e9} \u{212b}") == tokenizer.encode("cafe\u{301} A\u{30a}"))
    #expect(tokenizer.encode("\u{ac01}") == tokenizer.encode("\u{1100}\u{1161}\u{11a8}"))
  }
}
