import CanonicalJSON
import DatasetFormat
import Imaging
import Testing

struct RecordTests {
  private let scores = SampleRecord.Scores(
    brightness: 0.5, contrast: 0.25, clipped: 0.125, hash: PictureHash(bits: 0xf0))

  private func entity(agreement: Double?) -> SampleRecord.Entity {
    .init(
      name: "dog", classID: 3, words: "dog", isNamed: true, isPresent: true, presence: 0.99,
      area: 0.31, confidence: 0.97, edgeConfidence: 0.81, parts: 2, touchesBorder: true,
      agreement: agreement)
  }

  @Test func theLineHasTheKeysOfTheFormatInTheirOrder() {
    let record = SampleRecord(
      index: 0, hasMask: true, prompt: "a dog", seed: 18_446_744_073_709_551_615, steps: 25,
      guidance: 5, scheduler: "ddim", width: 256, height: 256,
      entities: [entity(agreement: nil)], scores: scores)
    #expect(
      record.line == """
        {"index":0,"image":"images/000000000.png","mask":"masks/000000000.png","prompt":"a dog",\
        "seed":"18446744073709551615","attempt":0,"steps":25,"guidance":5,"scheduler":"ddim",\
        "width":256,"height":256,"accepted":true,"reasons":[],"entities":[{"name":"dog",\
        "class_id":3,"words":"dog","named":true,"present":true,"presence":0.99,"area":0.31,\
        "confidence":0.97,"edge_confidence":0.81,"parts":2,"border":true,"agreement":null}],\
        "scores":{"finite":true,"brightness":0.5,"contrast":0.25,"clipped":0.125,\
        "hash":"00000000000000f0"},"rejected_attempts":[]}
        """)
  }

  @Test func recordsComeBackAsTheyWere() throws {
    for prompt in ["", "\u{0}\u{1}\n\t\"\\", "\u{718a}\u{1f43b}\u{301}", "</script>\u{7f}"] {
      for hasMask in [false, true] {
        let record = SampleRecord(
          index: 999_999_999, hasMask: hasMask, prompt: prompt, seed: 0, attempt: 3, steps: 1,
          guidance: 1.25, scheduler: "dpm++2m", width: 8192, height: 1, reasons: ["area"],
          scores: scores,
          rejectedAttempts: (0..<3).map {
            .init(
              attempt: $0, seed: 7, reasons: ["flat", "absent:dog"],
              entities: [entity(agreement: 0.25)], scores: scores)
          })
        #expect(!record.line.contains("\n"))
        #expect(try SampleRecord(line: record.line.utf8, path: "x") == record)
      }
    }
  }

  @Test(arguments: [
    ("\"index\":0", "\"index\":-1"), ("\"index\":0", "\"index\":1000000000"),
    ("\"index\":0", "\"index\":1"), ("images/000000000.png", "../000000000.png"),
    ("\"mask\":null", "\"mask\":\"masks/1.png\""), ("\"mask\":null,", ""),
    ("\"7\"", "7"), ("\"7\"", "\"07\""), ("\"7\"", "\"-7\""), ("\"7\"", "\"+7\""),
    ("\"7\"", "\"18446744073709551616\""), ("\"accepted\":true", "\"accepted\":false"),
    ("\"width\":8", "\"width\":0"), ("\"width\":8", "\"width\":8193"),
    ("\"reasons\":[]", "\"reasons\":[1]"),
    ("\"steps\":25", "\"steps\":2.5"), ("\"attempt\":0", "\"attempts\":0"), ("{", "[{"),
    ("\"guidance\":5", "\"guidance\":null"), ("\"entities\":[]", "\"entities\":[{}]"),
    ("\"entities\":[]", "\"entities\":null"),
    ("\"prompt\":\"x\"", "\"prompt\":\"x\",\"prompt\":\"x\""),
    ("\"attempt\":0", "\"attempt\":1"), ("\"clipped\":0.125", "\"clipped\":1.5"),
    ("00000000000000f0", "00000000000000F0"), ("00000000000000f0", "f0"),
    ("\"finite\":true", "\"finite\":1"), ("\"rejected_attempts\":[]", "\"rejected_attempts\":[{}]"),
  ])
  func wrongRecordsAreRefused(_ old: String, _ new: String) throws {
    let record = SampleRecord(
      index: 0, prompt: "x", seed: 7, steps: 25, guidance: 5, scheduler: "ddim", width: 8,
      height: 8, scores: scores)
    let line = record.line.replacing(old, with: new, maxReplacements: 1)
    #expect(line != record.line)
    #expect(code { _ = try SampleRecord(line: line.utf8, path: "x") } == .malformed)
  }

  @Test func everyTruncatedLineIsRefused() throws {
    let line = Array(try SmallRun().record(3).line.utf8)
    for count in 0..<line.count {
      #expect(code { _ = try SampleRecord(line: line[..<count], path: "x") } == .malformed)
    }
  }

  @Test func classTablesComeBackAsTheyWere() throws {
    let table = try ClassTable([
      .init(id: 20, name: "tv monitor", aliases: ["tv", "screen"], split: .unseen),
      .init(id: 1, name: "B\u{e4}r", split: .seen), .init(id: 254, name: "x"),
    ])
    #expect(
      table.tsv == "1\tB\u{e4}r\t\t#800000\tseen\n"
        + "20\ttv monitor\ttv,screen\t#004080\tunseen\n254\tx\t\t#60e0c0\t-\n")
    #expect(try ClassTable(tsv: Array(table.tsv.utf8), path: "x") == table)
    #expect(try ClassTable(tsv: Array(("# comment\n" + table.tsv).utf8), path: "x") == table)
    #expect(table.maskDepth == .eight)
    #expect(try ClassTable([.init(id: 255, name: "y")]).maskDepth == .sixteen)
    #expect(try ClassTable([]).tsv.isEmpty)
  }

  @Test(arguments: [
    "1\ta\t\t#800000", "1\ta\t\t#800000\tseen\t", "0\ta\t\t#800000\t-", "65535\ta\t\t#800000\t-",
    "01\ta\t\t#800000\t-", "x\ta\t\t#800000\t-", "1\t\t\t#800000\t-", "1\ta\tb,,c\t#800000\t-",
    "1\ta\t\t800000\t-", "1\ta\t\t#800000\tyes", "1\ta\t\t#800000\t-\r", "1\ta\u{1}\t\t#800000\t-",
    "1\ta\t\t#800000\t-\n1\tb\t\t#800000\t-", "1\ta\t\t#800000\t-\n2\ta\t\t#800000\t-",
    "1\ta\t\t#800000\t-\n\n2\tb\t\t#800000\t-",
  ])
  func wrongClassTablesAreRefused(_ text: String) {
    #expect(code { _ = try ClassTable(tsv: Array(text.utf8), path: "x") } == .malformed)
    #expect(code { _ = try ClassTable(tsv: [0xff, 0xfe], path: "x") } == .malformed)
  }

  @Test func namesThatBreakTheTableAreRefused() {
    for name in ["", "a\tb", "a\nb", "a\rb", "\u{7f}"] {
      #expect(code { _ = try ClassTable([.init(id: 1, name: name)]) } == .malformed)
      #expect(
        code { _ = try ClassTable([.init(id: 1, name: "x", aliases: [name])]) } == .malformed)
    }
    #expect(code { _ = try ClassTable([.init(id: 1, name: "x", aliases: ["a,b"])]) } == .malformed)
  }

  @Test func shardsCoverAllSamplesOnce() {
    for (count, size) in [(1, 1), (5, 2), (6, 2), (7, 100), (1_000_000_000, 999_999_999)] {
      let layout = RunLayout(sampleCount: count, shardSize: size)
      var next = 0
      for shard in 0..<layout.shardCount {
        #expect(layout.indices(ofShard: shard).lowerBound == next)
        next = layout.indices(ofShard: shard).upperBound
      }
      #expect(next == count)
    }
  }

  @Test func errorsHaveTheirExitStatus() {
    let expected: [DatasetError.Code: Int32] = [
      .cannotCreate: 73, .io: 74, .diskFull: 75, .lockHeld: 75, .configurationDiffers: 78,
      .malformed: 65, .missing: 66,
    ]
    for code in DatasetError.Code.allCases { #expect(code.exitStatus == expected[code]) }
  }

  @Test func hashesAreThoseOfTheStandard() {
    // FIPS 180-2, appendix B.1.
    #expect(
      ContentHash.sha256(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
