import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite struct OtherCommandTests {
  private func result(_ outcome: Program.Outcome) throws -> JSONValue {
    try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  @Test func tokenizeGivesALineOfIdsALine() async throws {
    try await withFolder { folder in
      let input = "\"a dog\"\n\"\"\n\"\\u00e9\\ud83d\\udc36\"\n"
      try input.write(toFile: folder + "/in", atomically: false, encoding: .utf8)
      let outcome = try await Program.run(
        ["tokenize", "--model", Program.tinyModel, "--input", "in"], in: folder)
      #expect(outcome.code == 0 && outcome.lines.count == 3)
      for line in outcome.lines {
        let value = try JSONValue.parse(Array(line.utf8))
        #expect(value.members?.map(\.name) == ["ids"])
        #expect(value["ids"]?.elements?.count == 77)
      }
      let json = try await Program.run(
        ["tokenize", "--model", Program.tinyModel, "--input", "in", "--json"], in: folder)
      #expect(json.lines.count == 4)
      #expect(try result(json)["event"] == "result")
    }
  }

  @Test(arguments: ["dog", "{\"a\": 1}", "\"open", "\"\\ud800\"", "12"])
  func tokenizeNamesTheLineThatIsNoString(text: String) async throws {
    try await withFolder { folder in
      try "\"fine\"\n\(text)\n".write(toFile: folder + "/in", atomically: false, encoding: .utf8)
      let outcome = try await Program.run(
        ["tokenize", "--model", Program.tinyModel, "--input", "in"], in: folder)
      #expect(outcome.code == 65 && outcome.errorLines.count == 1)
      #expect(outcome.error.contains("in:2"))
    }
  }

  @Test(arguments: ["unet", "vae-decode", "vae-encode", "text", "ground", "image", "load"])
  func benchTellsWhatItTimed(part: String) async throws {
    let outcome = try await Program.run([
      "bench", "--part", part, "--model", Program.tinyModel, "--batch", "2", "--size", "32",
      "--steps",
      "2", "--repeat", "2", "--json", "--isa", "portable", "--precision", "exact",
    ])
    #expect(outcome.code == 0, "\(outcome.error)")
    let value = try result(outcome)
    #expect(value["part"] == .string(part) && value["batch"] == 2 && value["size"] == 32)
    #expect(value["seconds"]?.elements?.count == 2 && value["median"]?.number != nil)
    #expect(value["isa"] == "portable" && value["precision"] == "exact")
  }

  @Test func benchTellsWhereTheTimeGoes() async throws {
    let arguments = ["bench", "--part", "unet", "--model", Program.tinyModel, "--size", "32"]
    let outcome = try await Program.run(arguments + ["--repeat", "1", "--profile", "--json"])
    #expect(outcome.code == 0, "\(outcome.error)")
    let profile = try #require(try result(outcome)["profile"])
    let rows = try #require(profile["operations"]?.elements)
    let kinds = Set(rows.compactMap { $0["operation"]?.string })
    #expect(kinds.isSuperset(of: ["convolution", "linear, 1×1", "attention", "group norm"]))
    let shares = rows.compactMap { $0["share"]?.number }
    #expect(shares == shares.sorted(by: >) && shares.reduce(0, +) <= 1)
    // No operation can do more than a loop in registers; the margin is for a machine that others use too.
    #expect(rows.allSatisfy { ($0["peak_share"]?.number ?? 0) < 1.5 })
    let text = try await Program.run(arguments + ["--repeat", "1", "--profile"])
    #expect(text.lines.contains { $0.hasPrefix("convolution") && $0.hasSuffix("%") })
  }

  @Test func doctorFindsThisMachineFit() async throws {
    try await withFolder { folder in
      let outcome = try await Program.run(["doctor", "--json"], in: folder)
      #expect(outcome.code == 0, "\(outcome.output)")
      let value = try result(outcome)
      #expect(value["writable"] == true && value["model_ok"] == true)
      #expect(value["model_sha256"]?.string?.count == 64)
      #expect(value["grounding_sha256"]?.string?.count == 64)
      #expect((value["memory_bytes"]?.integer ?? 0) > 1 << 28)
      #expect((value["threads"]?.integer ?? 0) >= 1)
    }
  }

  @Test func doctorSaysNoWhereSomethingIsWrong() async throws {
    let outcome = try await Program.run([
      "doctor", "--json", "--model", "/no/such", "--output", "/proc/none",
    ])
    #expect(outcome.code == 1)
    let value = try result(outcome)
    #expect(value["writable"] == false && value["model_ok"] == false)
    #expect(value["grounding_sha256"]?.isNull == true)
    #expect(value["faults"]?.elements?.count == 2)
  }

  @Test func aCopyWithItsBundlesWorksFromAnywhere() async throws {
    try await withFolder { folder in
      let home = folder + "/copy of the program"
      try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
      for name in ["triptych", "triptych_DefaultModel.resources", "triptych_Generation.resources"] {
        try FileManager.default.copyItem(
          atPath: Program.buildFolder.appendingPathComponent(name).path, toPath: "\(home)/\(name)")
      }
      let links = FileManager.default.enumerator(atPath: home)?.compactMap { $0 as? String } ?? []
      for name in links {
        let type = try FileManager.default.attributesOfItem(atPath: "\(home)/\(name)")[.type]
        #expect(type as? FileAttributeType != .typeSymbolicLink || name.hasSuffix("Templates"))
      }
      let outcome = try await Program.run(
        ["generate", "--vocabulary", "objectworld48", "--count", "2", "--steps", "2"], in: folder,
        program: home + "/triptych")
      #expect(outcome.code == 0, "\(outcome.error)")
      let runs = try FileManager.default.contentsOfDirectory(atPath: folder + "/Output")
      #expect(runs.count == 1 && runs[0].hasPrefix("objectworld48-"))
      try FileManager.default.removeItem(atPath: home + "/triptych_Generation.resources")
      let bare = try await Program.run(
        ["generate", "--vocabulary", "voc"], in: folder, program: home + "/triptych")
      expectRefusal(bare, code: 66, saying: "triptych_Generation.resources")
      try FileManager.default.removeItem(atPath: home + "/triptych_DefaultModel.resources")
      let empty = try await Program.run(
        ["generate", "--prompt", "x"], in: folder, program: home + "/triptych")
      expectRefusal(empty, code: 66, saying: "copy it along with the executable")
    }
  }

  @Test func wordsThatTheEmbeddedModelDoesNotKnowAreToldBeforeTheRun() async throws {
    try await withFolder { folder in
      func told(_ vocabulary: String) async throws -> [Substring] {
        let outcome = try await Program.run(
          ["generate", "--vocabulary", vocabulary, "--count", "1", "--steps", "2"], in: folder)
        #expect(outcome.code == 0, "\(outcome.error)")
        return outcome.errorLines.filter { $0.contains("never saw") }
      }
      #expect(try await told("objectworld20").isEmpty)
      let some = try await told("dog,abalone,mug")
      #expect(some.count == 1)
      #expect(some.first?.contains("1 of the 3 classes (abalone);") == true)
      #expect(try await told("objectworld").first?.contains("228 of the 276 classes") == true)
    }
  }

  @Test func templatesAreFoundInOrder() async throws {
    try await withFolder { folder in
      for place in ["Templates", "other"] {
        for kind in ["prompts", "vocabularies"] {
          try FileManager.default.createDirectory(
            atPath: "\(folder)/\(place)/\(kind)", withIntermediateDirectories: true)
        }
        try "templates: [\"\(place) {objects}\"]\n".write(
          toFile: "\(folder)/\(place)/prompts/scenes.yaml", atomically: false, encoding: .utf8)
      }
      let command = ["generate", "--vocabulary", "dog,", "--dry-run"]
      let near = try await Program.run(command, in: folder)
      #expect(near.output.contains("Templates a dog"))
      let named = try await Program.run(
        command, in: folder, environment: ["TRIPTYCH_TEMPLATES=other"])
      #expect(named.output.contains("other a dog"))
      let explicit = try await Program.run(
        command + ["--templates", "other"], in: folder,
        environment: ["TRIPTYCH_TEMPLATES=Templates"])
      #expect(explicit.output.contains("other a dog"))
      let broken = try await Program.run(
        command, in: folder, environment: ["TRIPTYCH_TEMPLATES=/no/such"])
      expectRefusal(broken, code: 66, saying: "TRIPTYCH_TEMPLATES")
    }
  }
}
