import CanonicalJSON
import DatasetFormat
import Gallery
import Imaging
import TestSupport
import Testing

@Suite struct RemakeCommandTests {
  /// The words that a POSIX shell makes of a line without expansions: spaces part, single quotes hold together.
  private func words(_ line: String) -> [String] {
    var words: [String] = []
    var (word, isOpen, isQuoted) = ("", false, false)
    var letters = Array(line.unicodeScalars)[...]
    while let letter = letters.popFirst() {
      switch letter {
      case "'":
        isQuoted.toggle()
        isOpen = true
      case "\\" where !isQuoted:
        if let next = letters.popFirst() { word.unicodeScalars.append(next) }
        isOpen = true
      case " " where !isQuoted:
        if isOpen { words.append(word) }
        (word, isOpen) = ("", false)
      default:
        word.unicodeScalars.append(letter)
        isOpen = true
      }
    }
    return isOpen ? words + [word] : words
  }

  @Test func whateverATextHoldsTheShellMakesOneWordOfIt() {
    var random = SeededGenerator(seed: 3)
    let parts = [
      "a", "'", "\"", " ", "\n", "$(x)", "`x`", "\\", "!", "*", "\u{1f415}", "</script>", "-", "#",
      "~", ";", "=",
    ]
    for _ in 0..<2000 {
      let text = (0..<Int(random.next() % 8)).map { _ in random.choose(parts) }.joined()
      #expect(words("x " + ShellCommand.quoted(text) + " y") == ["x", text, "y"], "\(text)")
    }
    #expect(ShellCommand.quoted("0.5") == "0.5" && ShellCommand.quoted("") == "''")
  }

  private func run(_ configuration: JSONValue) throws -> (TemporaryFolder, RunContents) {
    let folder = try TemporaryFolder(inMemory: true)
    let members = (configuration.members ?? []) + [.init("count", 40), .init("shard_size", 8)]
    try RunFolder.open(
      path: folder["run"], configuration: .object(members), classes: ClassTable([]),
      layout: RunLayout(sampleCount: 40, shardSize: 8), numerics: "drawn"
    ).close()
    return (folder, try RunContents.open(path: folder["run"]))
  }

  private func record(_ prompt: String, contrast: Double = 0.2) -> SampleRecord {
    SampleRecord(
      index: 17, hasMask: true, prompt: prompt, seed: 1000, steps: 25, guidance: 4.5,
      scheduler: "ddim", width: 64, height: 32,
      entities: [
        .init(
          name: "dog", classID: 9, words: "big dogs", isNamed: true, isPresent: true, presence: 1,
          area: 0.2, confidence: 0.9, edgeConfidence: 0.9, parts: 1, touchesBorder: false)
      ],
      scores: .init(
        brightness: 0.5, contrast: contrast, clipped: 0,
        hash: PictureHash(bits: 0)))
  }

  private let sampling: JSONValue.Member = .init(
    "sampling",
    [
      "steps": 25, "guidance": 4.5, "guidance_rescale": 0, "scheduler": "ddim", "eta": 0,
      "negative_prompt": "-5 'bad'", "width": 64, "height": 32, "latents_sha256": nil,
    ])

  @Test func aGeneratedSampleHasEveryOptionThatDecidesItsBytes() throws {
    let (folder, run) = try run(
      .object([
        sampling, .init("numerics", ["precision": "exact", "isa": "avx2"]),
        .init(
          "model",
          ["adapters": [["kind": "lora", "file": "a b.safetensors", "sha256": "", "weight": 0.5]]]),
        .init(
          "masks",
          [
            "source": [
              "name": "attention", "refinement": ["power": 4], "normalisation": "range",
              "threshold": 0.4,
            ], "flip_check": false, "ignore_band": 0.2, "entities": [],
          ]),
      ]))
    let command = RemakeCommand(for: run, model: .named, runSeed: { $0 + 1 })
    let text = try #require(command.text(record("two\nlines, 'big dogs'")))
    #expect(
      words(text) == [
        "triptych", "generate", "--prompt", "two\nlines, 'big dogs'", "--entities", "big dogs",
        "--attention-refinement", "4", "--attention-scale", "range", "--attention-threshold", "0.4",
        "--ignore-band", "--seed", "1001", "--model", "MODEL", "--lora", "a b.safetensors:0.5",
        "--steps", "25", "--guidance", "4.5", "--guidance-rescale", "0", "--scheduler", "ddim",
        "--eta", "0", "--width", "64", "--height", "32", "--negative-prompt=-5 'bad'",
        "--precision", "exact", "--isa", "avx2", "--output", "sample-17",
      ])
    // A sample that the usual rules reject would be made again with another seed.
    let flat = try #require(command.text(record("x", contrast: 0.01)))
    #expect(flat.hasPrefix("echo 'attempts: 1' > once.yaml && triptych generate "))
    #expect(flat.contains(" --filters once.yaml "))
    withExtendedLifetime(folder) {}
  }

  @Test func whatWasLookedForByHandStaysAsItWas() throws {
    let (folder, run) = try run(
      .object([sampling, .init("masks", ["entities": ["dog", "old owl"], "flip_check": true])]))
    let command = RemakeCommand(for: run, model: .embedded, runSeed: { $0 })
    let text = try #require(command.text(record("x")))
    #expect(text.contains(" --entities 'dog,old owl' ") && text.contains(" --flip-check "))
    #expect(!text.contains("--model"))
    withExtendedLifetime(folder) {}
  }

  @Test func aComposedSampleComesWithItsShard() throws {
    let (folder, run) = try run([
      "world": ["sha256": "00", "subset": "train"], "seed": "77",
      "scenes": ["objects": ["1": 3, "2": 1], "doubles": 10, "only": nil, "width": 256],
    ])
    let text = RemakeCommand(for: run, model: .named, runSeed: { $0 }).text(record("x"))
    #expect(
      text
        == "triptych compose --world PACK --classes RUN/classes.tsv --subset train --objects 1:3,2:1 "
        + "--size 256 --doubles 10 --seed 77 --count 40 --shard-size 8 --shards 2 --output shard-2")
    withExtendedLifetime(folder) {}
  }

  @Test func aRunThatNoCommandMadeHasNone() throws {
    let (folder, run) = try run(["source": "elsewhere"])
    #expect(RemakeCommand(for: run, model: .named, runSeed: { $0 }).text(record("x")) == nil)
    withExtendedLifetime(folder) {}
  }
}
