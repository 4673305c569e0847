import Foundation
import Testing

@Suite struct ConfigurationFileTests {
  private func run(_ yaml: String, _ arguments: [String]) async throws -> Program.Outcome {
    try await withFolder { folder in
      try yaml.write(toFile: folder + "/c.yaml", atomically: false, encoding: .utf8)
      return try await Program.run(
        arguments + ["--dry-run", "--config", "c.yaml"], in: folder)
    }
  }

  @Test func aFileSaysWhatTheCommandLineDoesNot() async throws {
    let yaml = "vocabulary: [dog, cat]\ncount: 3\n"
    let list = try await run(yaml, ["generate"])
    expectRefusal(list, code: 65, saying: "c.yaml:1: vocabulary: takes one value, found a list")
    let outcome = try await run(
      "vocabulary: \"dog,cat\"\ncount: 3\ntemplates: photo\nno-masks: true\n", ["generate"])
    #expect(outcome.code == 0)
    #expect(outcome.output.contains("3 pictures"))
    #expect(outcome.output.contains("a photo of a dog"))
  }

  @Test func optionsGivenByHandWin() async throws {
    let yaml = "prompt: [one, two]\ncount: 5\nsteps: 7\n"
    let file = try await run(yaml, ["generate"])
    #expect(file.output.contains("5 pictures") && file.output.contains("0: one"))
    let hand = try await run(yaml, ["generate", "--prompt=-three", "--count", "2"])
    #expect(hand.output.contains("2 pictures") && hand.output.contains("0: -three"))
    #expect(hand.output.contains("7 steps") && !hand.output.contains("one"))
    let other = try await run(yaml, ["generate", "--vocabulary", "voc"])
    #expect(other.code == 0 && other.output.contains("5 pictures"))
  }

  @Test(arguments: [
    ("prompt: x\nstep: 3\n", 65, "c.yaml:2: unknown key \"step\""),
    ("prompt: x\nno-masks: maybe\n", 65, "c.yaml:2: no-masks: expected true or false"),
    ("prompt: {a: b}\n", 65, "c.yaml:1: prompt"),
    ("prompt: x\nconfig: y\n", 65, "c.yaml:2: unknown key \"config\""),
    ("prompt: x\ncount: 0\n", 64, "--count: found 0"),
    ("prompt: [x\n", 65, "c.yaml"),
    ("prompt: &a x\n", 65, "anchors"),
    ("- prompt\n", 65, "expected a mapping"),
  ])
  func brokenFilesAreNamedWithTheirLine(yaml: String, code: Int32, part: String) async throws {
    expectRefusal(try await run(yaml, ["generate"]), code: code, saying: part)
  }

  @Test func aMissingFileIsExit66() async throws {
    let outcome = try await Program.run(["generate", "--prompt", "x", "--config", "/no/such.yaml"])
    expectRefusal(outcome, code: 66, saying: "/no/such.yaml")
  }
}
