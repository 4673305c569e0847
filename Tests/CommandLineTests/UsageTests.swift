import Foundation
import Testing

@Suite struct UsageTests {
  @Test(arguments: [[], ["--help"], ["generate", "--help"], ["help", "bench"], ["doctor", "-h"]])
  func helpIsAResult(arguments: [String]) async throws {
    let outcome = try await Program.run(arguments)
    #expect(outcome.code == 0)
    #expect(outcome.output.contains("USAGE: triptych"))
    #expect(outcome.error.isEmpty)
  }

  @Test func theVersionIsANumber() async throws {
    let outcome = try await Program.run(["--version"])
    #expect(outcome.code == 0)
    #expect(outcome.output.split(separator: ".").count == 3)
  }

  @Test(arguments: [
    (["frobnicate"], "frobnicate"),
    (["generate"], "give --prompt or --vocabulary"),
    (["generate", "--prompt", "x", "--vocabulary", "voc"], "do not go together"),
    (["generate", "--prompt", "x", "--templates", "photo"], "--templates goes with"),
    (["generate", "--prompt", "x", "--count", "0"], "found 0, expected 1 to 1000000000"),
    (["generate", "--prompt", "x", "--count=-4"], "found -4, expected 1 to"),
    (["generate", "--prompt", "x", "--count", "1000000001"], "expected 1 to 1000000000"),
    (["generate", "--prompt", "x", "--count", "99999999999999999999"], "--count"),
    (["generate", "--prompt", "x", "--seed", "18446744073709551616"], "--seed"),
    (["generate", "--prompt", "x", "--batch", "0"], "--batch: found 0"),
    (["generate", "--prompt", "x", "--threads", "0"], "--threads: found 0"),
    (["generate", "--prompt", "x", "--isa", "sse9"], "portable"),
    (["generate", "--prompt", "x", "--precision", "fast"], "exact"),
    (["generate", "--prompt", "x", "--scheduler", "plms"], "ddim"),
    (["generate", "--prompt", "x", "--size", "64", "--width", "64"], "--size says both"),
    (["generate", "--prompt", "x", "--shard-size", "0"], "--shard-size: found 0"),
    (["generate", "--prompt", "x", "--output", ""], "--output"),
    (["generate", "--prompt", "x", "--nonsense"], "--nonsense"),
    (["generate", "--vocabulary", "voc", "--objects", "0"], "--objects"),
    (["generate", "--vocabulary", "voc", "--objects", "5"], "--objects"),
    (["generate", "--vocabulary", "voc", "--objects", "3-2"], "--objects"),
    (
      ["generate", "--vocabulary", "voc", "--objects", "2", "--templates", "imagenet80"],
      "{objects}"
    ),
    (["bench", "--part", "wheel"], "unet"),
    (["bench", "--part", "unet", "--repeat", "0"], "--repeat: found 0"),
    (["checkpoint"], "path"),
    (["tokenize"], "--input"),
  ])
  func mistakesOfTheUserAreOneLineAndExit64(arguments: [String], part: String) async throws {
    expectRefusal(try await Program.run(arguments), code: 64, saying: part)
  }

  @Test(arguments: [
    ("--width", "100"), ("--height", "12"), ("--width", "0"), ("--height=-8", ""),
    ("--size", "999999999999"), ("--steps", "0"), ("--steps", "1001"), ("--guidance", "nan"),
    ("--guidance=-1", ""), ("--eta", "2"), ("--guidance-rescale", "1.5"),
  ])
  func settingsOutOfRangeNameTheRange(option: String, value: String) async throws {
    let extra = value.isEmpty ? [option] : [option, value]
    let outcome = try await Program.run(["generate", "--prompt", "x", "--dry-run"] + extra)
    expectRefusal(outcome, code: 64, saying: "expected")
  }

  @Test func bytesThatAreNoTextAreRefused() async throws {
    let outcome = try await Program.shell(#"exec "$0" generate --prompt "$(printf 'a\377b')""#)
    expectRefusal(outcome, code: 64, saying: "argument 3 is not UTF-8")
  }

  @Test func aClosedOrFullStdoutIsAnErrorAndNoCrash() async throws {
    let closed = try await Program.shell(#""$0" --help >&-"#)
    #expect(closed.code == 74)
    #expect(closed.errorLines.count == 1)
    let broken = try await Program.shell(#"{ "$0" doctor; echo $? >&2; } | true"#)
    #expect(broken.error.hasSuffix("74\n") || broken.error.hasSuffix("0\n"))
    let full = try await Program.shell(#""$0" --help > /dev/full"#)
    expectRefusal(full, code: 75, saying: "No space left")
  }
}
