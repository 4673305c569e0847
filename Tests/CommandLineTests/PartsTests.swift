import CanonicalJSON
import Foundation
import Testing

/// Runs made in parts, joined, checked and decided anew, on the built program.
@Suite struct PartsTests {
  private let command =
    [
      "generate", "--prompt", "a dog", "--prompt", "a cat", "--entities", "dog,cat", "--count", "7",
      "--shard-size", "2",
      "--steps", "2",
    ] + Program.tinyOptions

  private func run(
    _ arguments: [String], code: Int32 = 0, environment: [String] = []
  ) async throws -> Program.Outcome {
    let outcome = try await Program.run(arguments, environment: environment)
    #expect(outcome.code == code, "\(arguments): \(outcome.error)\(outcome.output)")
    return outcome
  }

  private func result(_ outcome: Program.Outcome) throws -> JSONValue {
    try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  @Test func bytesDependNeitherOnBatchNorThreadsNorWorkers() async throws {
    try await withFolder(inMemory: true) { folder in
      _ = try await run(command + ["--output", folder + "/whole"])
      let expected = try contents(of: folder + "/whole")
      for batch in 1...3 {
        for threads in 1...2 {
          for workers in 1...3 {
            let name = "\(folder)/\(batch)-\(threads)-\(workers)"
            var parts: [String] = []
            for worker in 0..<workers {
              parts.append("\(name)-\(worker)")
              _ = try await run(
                command + [
                  "--batch", "\(batch)", "--threads", "\(threads)", "--worker",
                  "\(worker)/\(workers)", "--output", parts[worker],
                ])
            }
            _ = try await run(["merge"] + parts + ["--output", name])
            #expect(try contents(of: name) == expected, "\(name)")
          }
        }
      }
    }
  }

  @Test func workersMayShareAFolder() async throws {
    try await withFolder(inMemory: true) { folder in
      _ = try await run(command + ["--output", folder + "/whole"])
      for trial in 0..<5 {
        let shared = "\(folder)/shared\(trial)"
        try await withThrowingTaskGroup(of: Program.Outcome.self) { group in
          for worker in 0..<5 {
            group.addTask {
              try await Program.run(
                command + ["--threads", "1", "--output", shared],
                environment: [
                  "SLURM_ARRAY_TASK_ID=\(worker + 1)", "SLURM_ARRAY_TASK_COUNT=5",
                  "SLURM_ARRAY_TASK_MIN=1", "SLURM_ARRAY_TASK_MAX=5", "SLURM_ARRAY_TASK_STEP=1",
                ])
            }
          }
          for try await outcome in group {
            // The fifth has no shard to make.
            #expect(outcome.code == 0, "\(outcome.error)")
          }
        }
        #expect(try contents(of: shared) == contents(of: folder + "/whole"))
        #expect(!FileManager.default.fileExists(atPath: shared + "/partial"))
      }
    }
  }

  @Test func shardsAreNamedAndMissingOnesAreTold() async throws {
    try await withFolder(inMemory: true) { folder in
      let part = folder + "/part"
      let made = try result(
        try await run(command + ["--shards", "1,3", "--output", part, "--json"]))
      #expect(made["samples"] == 3)
      let merged = try result(
        try await run(["merge", part, "--output", folder + "/all", "--json"]))
      #expect(
        merged.members?.map(\.name) == [
          "event", "shards", "added", "samples", "accepted", "missing_shards", "output",
        ])
      #expect(merged["shards"] == 2 && merged["missing_shards"] == "0,2")
      _ = try await run(command + ["--shards", "0,2", "--output", folder + "/all"])
      _ = try await run(command + ["--output", folder + "/whole"])
      #expect(try contents(of: folder + "/all") == contents(of: folder + "/whole"))
      // A part may be filled up without the option too.
      _ = try await run(command + ["--output", part])
      #expect(try contents(of: part) == contents(of: folder + "/whole"))
    }
  }

  @Test(arguments: [
    (["--shards", "4"], "there is no shard 4; the run has 4"), (["--shards", "x"], "--shards"),
    (["--worker", "2/2"], "--worker"), (["--worker", "0/2", "--shards", "0"], "one of them"),
    (["--worker", "0/2", "--contact-sheet", "/tmp/sheet.png"], "--contact-sheet"),
  ])
  func partsThatCannotBeAreExit64(_ options: [String], _ part: String) async throws {
    try await withFolder(inMemory: true) { folder in
      let outcome = try await Program.run(command + options + ["--output", folder + "/run"])
      expectRefusal(outcome, code: 64, saying: part)
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
    }
  }

  @Test func anUnevenJobArrayIsExit64() async throws {
    let outcome = try await Program.run(
      command + ["--output", "/nowhere"],
      environment: [
        "SLURM_ARRAY_TASK_ID=5", "SLURM_ARRAY_TASK_COUNT=3", "SLURM_ARRAY_TASK_MIN=1",
        "SLURM_ARRAY_TASK_MAX=7",
      ])
    expectRefusal(outcome, code: 64, saying: "give --worker")
  }

  @Test func unlikePartsAreExit78AndDamagedOnesExit65() async throws {
    try await withFolder(inMemory: true) { folder in
      _ = try await run(command + ["--shards", "0", "--output", folder + "/a"])
      _ = try await run(command + ["--shards", "1", "--seed", "9", "--output", folder + "/b"])
      _ = try await run(
        command + ["--shards", "1", "--isa", "portable", "--output", folder + "/c"])
      let all = ["--output", folder + "/all"]
      expectRefusal(
        try await Program.run(["merge", folder + "/a", folder + "/b"] + all), code: 78,
        saying: "seed is \"0\" there and \"9\" here")
      expectRefusal(
        try await Program.run(["merge", folder + "/a", folder + "/c"] + all), code: 78,
        saying: "numerics.isa")
      expectRefusal(
        try await Program.run(["merge", folder + "/a", folder + "/none"] + all), code: 66,
        saying: folder + "/none")
      try flip(folder + "/a/shards/00000/images/000000001.png")
      expectRefusal(
        try await Program.run(["merge", folder + "/a"] + all), code: 65, saying: "000000001.png")
    }
  }

  private func flip(_ path: String) throws {
    let url = URL(fileURLWithPath: path)
    var bytes = try Data(contentsOf: url)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: url)
  }

  @Test func verifyNamesTheFileWithAFlippedByte() async throws {
    try await withFolder(inMemory: true) { folder in
      let path = folder + "/run"
      _ = try await run(command + ["--output", path])
      let whole = try await run(["verify", path, "--json"])
      #expect(
        try result(whole).members?.map(\.name) == [
          "event", "ok", "faults", "shards", "samples", "missing_shards",
        ])
      #expect(try result(whole)["ok"] == true && result(whole)["faults"] == .array([]))
      for (name, bytes) in try contents(of: path) where !bytes.isEmpty {
        try flip("\(path)/\(name)")
        let outcome = try await run(["verify", path, "--json"], code: 1)
        let faults = try #require(try result(outcome)["faults"]?.elements)
        #expect(faults.first?.members?.map(\.name) == ["file", "problem"])
        // A changed hash in DONE looks like a change of the file it is of.
        let named = faults.compactMap { $0["file"]?.string }
        let place = name.hasSuffix("DONE") ? String(name.dropLast(4)) : name
        #expect(named.contains { $0.hasPrefix(place) }, "\(name): \(named)")
        let text = try await run(["verify", path], code: 1)
        #expect(text.lines.count == faults.count + 1 && text.errorLines.isEmpty)
        try flip("\(path)/\(name)")
      }
      expectRefusal(
        try await Program.run(["verify", folder + "/none"]), code: 66, saying: folder + "/none")
    }
  }

  @Test func filterDecidesAnewAndBack() async throws {
    try await withFolder(inMemory: true) { folder in
      let (path, rules) = (folder + "/run", folder + "/rules.yaml")
      _ = try await run(command + ["--output", path])
      let before = try contents(of: path)
      try "picture:\n  duplicate_distance: 63\n".write(
        toFile: rules, atomically: false, encoding: .utf8)
      let outcome = try await run(["filter", path, "--filters", rules, "--json"])
      let value = try result(outcome)
      #expect(
        value.members?.map(\.name) == [
          "event", "samples", "accepted", "rejected_by_reason", "per_class",
        ])
      // Everything is within 63 bits of the first of its shard.
      #expect(value["samples"] == 7 && value["accepted"] == 4)
      #expect(value["rejected_by_reason"]?["duplicate"] == 3)
      #expect(outcome.lines.count == 8)
      #expect(outcome.lines[1].contains("\"accepted\":false,\"reasons\":[\"duplicate\"]"))
      _ = try await run(["verify", path])
      // The run's own command goes on as if nothing had happened.
      _ = try await run(command + ["--output", path])
      _ = try await run(["filter", path, "--reset"])
      #expect(try contents(of: path) == before)
      try "picture:\n  min_contrast: 1\n".write(toFile: rules, atomically: false, encoding: .utf8)
      let none = try await run(["filter", path, "--filters", rules], code: 1)
      #expect(none.output.contains("flat: 7"))
    }
  }

  @Test(arguments: [
    ("picture:\n  min_contrast: much\n", "rules.yaml:2: picture.min_contrast"),
    ("entities: {min_area: 2}\n", "rules.yaml:1: entities.min_area"),
    ("attempts: 4\nrules: 1\n", "rules.yaml:2: rules: unknown rule"),
    ("classes:\n  unicorn: {border: false}\n", "the run has no class"), ("- 1\n", "rules.yaml"),
    ("entities: {min_agreement: 0.5}\nclasses: &a {}\n", "anchors"),
  ])
  func wrongRulesAreExit65WithTheirLine(_ text: String, _ part: String) async throws {
    try await withFolder(inMemory: true) { folder in
      _ = try await run(command + ["--shards", "0", "--output", folder + "/run"])
      let rules = folder + "/rules.yaml"
      try text.write(toFile: rules, atomically: false, encoding: .utf8)
      expectRefusal(
        try await Program.run(["filter", folder + "/run", "--filters", rules]), code: 65,
        saying: part)
      #expect(!FileManager.default.fileExists(atPath: folder + "/run/filter.json"))
    }
  }
}
