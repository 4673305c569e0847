import Checkpoints
import Foundation
import Testing
import TextConditioning

/// Tokenizer folders that are wrong: every one is refused in one line with the file and the place.
struct HostileTokenizerTests {
  /// Loads the small tokenizer with one file replaced, or removed where nil.
  private func load(_ name: String, _ data: Data?) throws -> CLIPTokenizer {
    var files = try TextFixtures.contents("small")
    files[name] = data
    return try TextFixtures.withFolder(files) { try CLIPTokenizer(folder: $0) }
  }

  private func load(_ name: String, _ text: String) throws -> CLIPTokenizer {
    try load(name, Data(text.utf8))
  }

  /// The fault of loading, which has one line and names the file.
  private func fault(
    _ name: String, _ data: Data?, location: SourceLocation = #_sourceLocation
  ) throws -> CheckpointError {
    let error = try #require(
      throws: CheckpointError.self, sourceLocation: location
    ) { _ = try load(name, data) }
    #expect(error.file.hasSuffix("/" + name), "\(error)", sourceLocation: location)
    #expect(!error.description.contains("\n"), sourceLocation: location)
    return error
  }

  private func fault(
    _ name: String, _ text: String, location: SourceLocation = #_sourceLocation
  ) throws -> CheckpointError {
    try fault(name, Data(text.utf8), location: location)
  }

  private func small(_ name: String) throws -> String {
    String(decoding: try TextFixtures.data("small/\(name)"), as: UTF8.self)
  }

  @Test func filesThatAreMissingAreNamed() throws {
    for name in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
      #expect(try fault(name, nil as Data?).code == .missingFile)
    }
    // This one may be missing: the configuration names the tokens too.
    #expect(try load("special_tokens_map.json", nil).padID == 798)
  }

  @Test func aFolderWithTokenizerJSONAloneIsRefused() throws {
    let error = try #require(throws: CheckpointError.self) {
      try TextFixtures.withFolder(["tokenizer.json": Data("{}".utf8)]) {
        _ = try CLIPTokenizer(folder: $0)
      }
    }
    #expect(error.code == .unsupported)
    #expect(error.message.contains("merges.txt"))
  }

  @Test func truncatedFilesAreRefused() throws {
    for name in ["vocab.json", "tokenizer_config.json", "special_tokens_map.json"] {
      let whole = try TextFixtures.data("small/\(name)")
      for count in [0, 1, whole.count / 2, whole.count - 2] {
        #expect(try fault(name, whole.prefix(count)).code == .malformed)
      }
    }
    let merges = try TextFixtures.data("small/merges.txt")
    #expect(try fault("merges.txt", merges.dropLast(6)).code == .malformed)
  }

  @Test func foldersInThePlaceOfFilesAreRefused() throws {
    let files = try TextFixtures.contents("small").filter { $0.key != "vocab.json" }
    let error = try #require(throws: CheckpointError.self) {
      try TextFixtures.withFolder(files) { folder in
        try FileManager.default.createDirectory(
          atPath: folder + "/vocab.json", withIntermediateDirectories: false)
        _ = try CLIPTokenizer(folder: folder)
      }
    }
    #expect(error.code == .unreadable)
  }

  @Test func idsMustBeUniqueWholeNumbersInRange() throws {
    let vocabulary = try small("vocab.json")
    #expect(vocabulary.contains(": 5,"))
    for id in [
      "4", "-1", "2147483648", "9223372036854775807", "99999999999999999999", "1e300", "1.5",
      "\"5\"", "null", "[]", "true",
    ] {
      let wrong = vocabulary.replacingOccurrences(of: ": 5,", with: ": \(id),")
      #expect(try fault("vocab.json", wrong).code == .malformed, "\(id)")
    }
    for text in ["{}", "[]", "\"a\"", "{\"\": 0}", "{\"a\": 0, \"a\": 1}"] {
      #expect(try fault("vocab.json", text).code == .malformed, "\(text)")
    }
  }

  @Test func gapsInTheIDsAreKept() throws {
    let vocabulary = try small("vocab.json")
      .replacingOccurrences(of: ": 320,", with: ": 2147483647,")
    let tokenizer = try load("vocab.json", vocabulary)
    #expect(tokenizer.encode("a") == [2_147_483_647])
    #expect(tokenizer.pieces([2_147_483_647]) == ["a</w>"])
    #expect(tokenizer.largestID == 2_147_483_647)
  }

  @Test func mergesMustNameKnownPieces() throws {
    for line in [
      "a qqq", "qqq a", "a \u{1f600}", "a q\u{1}q", "a", "a b c", "", " ", "a ", "a\tb", "x z",
    ] {
      let text = "#version: 0.2\ni n</w>\n\(line)\no n</w>\n"
      let error = try fault("merges.txt", text)
      #expect(error.code == .malformed)
      #expect(error.message.contains("line 3"), "\(error)")
    }
    // Windows line ends and no merges at all are fine.
    #expect(try load("merges.txt", "#version: 0.2\r\ni n</w>\r\n").encode("in").count == 1)
    #expect(try load("merges.txt", "").encode("in").count == 2)
  }

  @Test func textMustBeUTF8() throws {
    let bad = Data([0x69, 0x20, 0xff, 0xfe, 0x0a])
    #expect(try fault("merges.txt", bad).message.contains("UTF-8"))
    #expect(
      try fault("vocab.json", Data("{\"".utf8) + bad + Data("\": 1}".utf8)).code == .malformed)
  }

  @Test func specialTokensMustBeKnown() throws {
    for role in ["bos_token", "eos_token", "pad_token", "unk_token"] {
      for token in ["\"<|nothing|>\"", "{\"content\": \"\\n\"}", "\"\"", "{}", "7", "[\"a\"]"] {
        let text = "{\"\(role)\": \(token)}"
        let error = try #require(throws: CheckpointError.self) {
          _ = try load("special_tokens_map.json", text)
        }
        #expect(error.code == .malformed, "\(error)")
        #expect(!error.description.contains("\n"))
      }
    }
    let stripped = "{\"bos_token\": {\"content\": \"a\", \"lstrip\": true}}"
    #expect(try fault("special_tokens_map.json", stripped).code == .unsupported)
    let long = "{\"bos_token\": \"\(String(repeating: "a", count: 2000))\"}"
    #expect(try fault("special_tokens_map.json", long).code == .malformed)
  }

  @Test func addedTokensMustHaveTheirOwnIDs() throws {
    #expect(try load("added_tokens.json", "{\"<x>\": 799}").largestID == 799)
    for text in [
      "{\"<x>\": 5}", "{\"<x>\": 800}", "{\"<x>\": -1}", "{\"<x>\": 1e99}",
      "{\"<x>\": 799, \"<X>\": 800}",
    ] {
      let error = try #require(throws: CheckpointError.self) {
        _ = try load("added_tokens.json", text)
      }
      #expect(error.code == .malformed, "\(error)")
    }
    for entry in ["\"x\": {\"content\": \"<x>\"}", "\"99999999999999999999\": {}", "\"799\": 5"] {
      let text = "{\"added_tokens_decoder\": {\(entry)}}"
      #expect(try fault("tokenizer_config.json", text).code == .malformed)
    }
  }

  @Test func configurationsOfOtherTokenizersAreRefused() throws {
    for text in [
      "{\"tokenizer_class\": \"T5Tokenizer\"}", "{\"padding_side\": \"left\"}",
      "{\"truncation_side\": \"left\"}", "{\"split_special_tokens\": true}",
    ] {
      #expect(try fault("tokenizer_config.json", text).code == .unsupported)
    }
    for length in ["1", "-77", "1e30", "\"77\"", "65537", "1000000000000000019884624838656"] {
      let text = "{\"model_max_length\": \(length)}"
      #expect(try fault("tokenizer_config.json", text).code == .malformed)
    }
    #expect(try load("tokenizer_config.json", "{\"model_max_length\": 2}")("cat") == [797, 798])
  }

  /// Whatever becomes of the bytes, loading ends in a tokenizer that works or in a `CheckpointError`.
  @Test(arguments: ["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"])
  func damagedFilesNeverTrap(_ name: String) throws {
    let good = try TextFixtures.contents("small")
    let whole = try #require(good[name])
    var draw = Draw(seed: 7)
    try TextFixtures.withFolder(good) { folder in
      for _ in 0..<300 {
        var bytes = [UInt8](whole)
        for _ in 0...draw(3) {
          let place = draw(bytes.count)
          switch draw(4) {
          case 0: bytes[place] = UInt8(draw(256))
          case 1: bytes.remove(at: place)
          case 2: bytes.insert(contentsOf: Array("9\"{[,:}".utf8).prefix(1 + draw(7)), at: place)
          default: bytes.replaceSubrange(place..<min(place + draw(50), bytes.count), with: [])
          }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
        do {
          let tokenizer = try CLIPTokenizer(folder: folder)
          let ids = tokenizer("A photo of <|endoftext|> caf\u{e9} 12!")
          #expect(ids.count == tokenizer.length)
          #expect(tokenizer.pieces(ids).count == ids.count)
        } catch let error as CheckpointError {
          #expect(!error.description.contains("\n"))
        }
      }
    }
  }
}
