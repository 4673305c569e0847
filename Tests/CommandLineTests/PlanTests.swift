import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite struct PlanTests {
  private func result(_ outcome: Program.Outcome) throws -> JSONValue {
    #expect(outcome.code == 0, "\(outcome.error)")
    return try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  @Test func aPlanListsItsSamplesAndWhatTheyCost() async throws {
    try await withFolder { folder in
      let outcome = try await Program.run(
        [
          "plan", "--vocabulary", "voc", "--objects", "1-2", "--count", "40", "--seed", "5",
          "--json", "--output", "plan.jsonl", "--steps", "6",
        ] + Program.tinyOptions, in: folder)
      let value = try result(outcome)
      #expect(
        value.members?.map(\.name) == [
          "event", "samples", "per_class", "seconds", "disk_bytes", "peak_bytes", "output",
          "prompts",
        ])
      #expect(value["samples"] == 40)
      #expect(value["per_class"]?.members?.map(\.value) == Array(repeating: 3, count: 20))
      #expect(value["per_class"]?.members?.first?.name == "aeroplane")
      #expect((value["seconds"]?.number ?? 0) > 0)
      #expect((value["disk_bytes"]?.integer ?? 0) > 0 && (value["peak_bytes"]?.integer ?? 0) > 0)
      let text = try String(contentsOfFile: folder + "/plan.jsonl", encoding: .utf8)
      let lines = try text.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
      #expect(lines.count == 40)
      #expect(
        lines[3].members?.map(\.name) == ["index", "seed", "prompt", "entities", "template"])
      #expect(lines[3]["index"] == 3)
      let entity = try #require(lines[1]["entities"]?.elements?.first)
      #expect(entity.members?.map(\.name) == ["name", "class_id", "words", "count", "range"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["plan.jsonl"])
    }
  }

  @Test func aPlanMakesTheSamePicturesAsItsCommand() async throws {
    try await withFolder { folder in
      let what = [
        "--vocabulary", "dog,cat,mug", "--templates", "described", "--objects", "1-2", "--seed",
        "9", "--count", "5",
      ]
      let how = Program.tinyOptions + ["--steps", "2", "--shard-size", "2"]
      let direct = try await Program.run(
        ["generate"] + what + how + ["--output", folder + "/direct"])
      #expect(direct.code <= 1, "\(direct.error)")
      _ = try result(
        await Program.run(
          ["plan"] + what + Program.tinyOptions
            + ["--no-measure", "--json", "--output", folder + "/plan.jsonl"]))
      let planned = try await Program.run(
        ["generate", "--plan", folder + "/plan.jsonl"] + how + ["--output", folder + "/planned"])
      #expect(planned.code == direct.code, "\(planned.error)")
      let (a, b) = (try contents(of: folder + "/direct"), try contents(of: folder + "/planned"))
      #expect(a.keys.filter { $0.hasPrefix("shards") }.count >= 10)
      for (name, bytes) in a where name.hasSuffix(".png") || name.hasSuffix(".jsonl") {
        #expect(b[name] == bytes, "\(name)")
      }
      #expect(a["classes.tsv"] == b["classes.tsv"])
      let run = try JSONValue.parse(Array(try #require(b["run.json"])))
      #expect(run["source"]?["plan_sha256"]?.string?.count == 64)
      let fewer = try await Program.run(
        [
          "generate", "--plan", folder + "/plan.jsonl", "--vocabulary", "dog,cat,mug", "--count",
          "2",
        ] + how + ["--output", folder + "/fewer"])
      #expect(fewer.code <= 1, "\(fewer.error)")
      #expect(
        try contents(of: folder + "/fewer")["shards/00000/images/000000001.png"]
          == a["shards/00000/images/000000001.png"])
      let refused = try await Program.run(
        [
          "generate", "--plan", folder + "/plan.jsonl", "--vocabulary", "cat,dog,mug", "--output",
          folder + "/x",
        ] + Program.tinyOptions)
      expectRefusal(refused, code: 65, saying: "plan.jsonl:")
    }
  }

  @Test(arguments: [("voc-10k", 10_000, 20), ("coco-110k", 110_000, 80)])
  func presetsAreFoundFromAnyDirectory(name: String, count: Int, classes: Int) async throws {
    try await withFolder { folder in
      let outcome = try await Program.run(
        [
          "plan", "--preset", name, "--no-measure", "--json", "--output", "plan.jsonl",
        ], in: folder)
      let value = try result(outcome)
      #expect(value["samples"]?.integer == count && value["seconds"] == .null)
      let counts = value["per_class"]?.members?.compactMap(\.value.integer) ?? []
      #expect(counts.count == classes && counts.reduce(0, +) == count * 3 / 2)
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
      let small = try await Program.run(
        [
          "plan", "--preset", name, "--count", "7", "--objects", "1", "--no-measure", "--json",
          "--templates", "photo",
        ], in: folder)
      #expect(try result(small)["samples"] == 7)
      #expect(small.output.contains("a photo of"))
    }
  }

  @Test func splitsReachTheClassTableAndOnlyKeepsToOneSide() async throws {
    try await withFolder { folder in
      let outcome = try await Program.run(
        [
          "generate", "--vocabulary", "voc", "--split", "voc1", "--only", "unseen", "--count", "5",
          "--no-masks", "--steps", "1", "--output", folder + "/run",
        ] + Program.tinyOptions)
      #expect(outcome.code == 0, "\(outcome.error)")
      let table = try String(contentsOfFile: folder + "/run/classes.tsv", encoding: .utf8)
        .split(separator: "\n")
      #expect(table.count == 20)
      #expect(table.filter { $0.hasSuffix("\tunseen") }.count == 5)
      #expect(table.filter { $0.hasSuffix("\tseen") }.count == 15)
      let plan = try await Program.run([
        "plan", "--vocabulary", "voc", "--split", "voc1", "--only", "seen", "--count", "30",
        "--no-measure", "--json",
      ])
      let counts = try result(plan)["per_class"]
      #expect(counts?["dog"] == 0 && counts?["cat"] == 2)
    }
  }

  @Test func weightsOfAFileRuleTheQuota() async throws {
    try await withFolder { folder in
      try "dog\t3\ncat\t1\n".write(
        toFile: folder + "/w.tsv", atomically: false, encoding: .utf8)
      let plan = try await Program.run(
        [
          "plan", "--vocabulary", "dog,cat", "--class-weights", "w.tsv", "--count", "101",
          "--no-measure", "--json",
        ], in: folder)
      let counts = try result(plan)["per_class"]
      #expect((75...76).contains(counts?["dog"]?.integer ?? 0))
      let people = try await Program.run(
        [
          "plan", "--vocabulary", "dog,cat", "--class-weights", "w.tsv", "--count", "100",
          "--no-measure",
        ], in: folder)
      #expect(people.output.contains("classes: 2, each named 25 to 75 times"))
      #expect(people.output.contains("  dog  75\n  cat  25\n"))
    }
  }

  @Test func aDryRunSaysTheSameAsAPlanAndWritesNothing() async throws {
    try await withFolder { folder in
      let what = ["--vocabulary", "voc", "--count", "10", "--no-measure", "--json"]
      let plan = try result(
        await Program.run(["plan"] + what + Program.tinyOptions, in: folder))
      let dry = try result(
        await Program.run(["generate", "--dry-run"] + what + Program.tinyOptions, in: folder))
      for key in ["samples", "per_class", "seconds", "disk_bytes", "peak_bytes", "prompts"] {
        #expect(plan[key] != nil && plan[key] == dry[key], "\(key)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func aCheckPrintsEveryProblemWithItsLine() async throws {
    try await withFolder { folder in
      let files = [
        "t.yaml": "templates:\n  - a photo\n  - \"{objects} {where}\"\nslots:\n  object: [a]\n",
        "v.yaml": "classes:\n  - dog\n  - {name: cat, split: maybe}\n  - {names: owl}\n",
        "w.yaml": "weights:\n  dog: 1\n  owl: x\n  cat: -1\n",
        "s.yaml": "vocabulary: voc\nunseen: [dog, wug]\n",
        "good.yaml": "templates: [\"a photo of {objects}\"]\n",
      ]
      for (name, text) in files {
        try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
      }
      let names = ["t.yaml", "v.yaml", "w.yaml", "s.yaml"]
      let outcome = try await Program.run(
        ["plan"] + names.flatMap { ["--check", $0] }, in: folder)
      #expect(outcome.code == 65)
      #expect(outcome.error.isEmpty)
      let places = outcome.lines.map { $0.prefix(while: { $0 != " " }) }
      #expect(
        places == [
          "t.yaml:2:", "t.yaml:3:", "t.yaml:5:", "v.yaml:3:", "v.yaml:4:", "w.yaml:3:",
          "w.yaml:4:", "s.yaml:2:",
        ])
      let good = try await Program.run(["plan", "--check", "good.yaml"], in: folder)
      #expect(good.code == 0 && good.output == "1 file, no problem\n")
      let json = try await Program.run(["plan", "--check", "v.yaml", "--json"], in: folder)
      #expect(json.code == 65)
      let value = try JSONValue.parse(Array(try #require(json.lines.last).utf8))
      #expect(value["ok"] == false && value["problems"]?.elements?.count == 2)
      #expect(value["problems"]?.elements?.first?["place"] == "v.yaml:3")
      expectRefusal(
        try await Program.run(["plan", "--check", "none.yaml"], in: folder), code: 66,
        saying: "none.yaml")
    }
  }

  @Test func everyFileOfTheCheckoutPassesItsCheck() async throws {
    let templates = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Templates").path
    let files =
      (FileManager.default.enumerator(atPath: templates)?.compactMap { $0 as? String } ?? [])
      .filter { $0.hasSuffix(".yaml") }
    #expect(files.count >= 21)
    let outcome = try await Program.run(
      ["plan"] + files.flatMap { ["--check", "\(templates)/\($0)"] })
    #expect(outcome.code == 0, "\(outcome.output)")
  }

  @Test(arguments: [
    (["plan"], 64, "give --prompt or --vocabulary"),
    (["plan", "--preset", "voc-10k", "--prompt", "x"], 64, "do not go together"),
    (["generate", "--plan", "/no/such.jsonl", "--preset", "voc-10k"], 64, "do not go together"),
    (["generate", "--plan", "/no/such.jsonl", "--seed", "3"], 64, "--seed and --plan"),
    (["generate", "--plan", "/no/such.jsonl"], 66, "/no/such.jsonl"),
    (["generate", "--plan", "/no/such.jsonl", "--objects", "2"], 64, "--objects goes with"),
    (["plan", "--prompt", "x", "--split", "voc1"], 64, "--split goes with"),
    (
      ["plan", "--vocabulary", "coco", "--split", "voc1"], 65,
      "voc1.yaml:4: the vocabulary coco has no class"
    ),
    (
      ["plan", "--vocabulary", "voc", "--split", "voc9"], 66,
      "coco-65-15, objectworld, objectworld20, objectworld48"
    ),
    (["plan", "--check", "x", "--output", "y"], 64, "--check and --output"),
    (["plan", "--preset", "voc-11k"], 66, "coco-110k, voc-10k"),
    (["plan", "--vocabulary", "voc", "--only", "seen"], 64, "--split"),
    (["plan", "--vocabulary", "voc", "--only", "some"], 64, "seen"),
    (["plan", "--vocabulary", "voc", "--objects", "1:2,9:1"], 64, "--objects"),
    (
      ["plan", "--vocabulary", "voc", "--no-measure", "--output", "/no/plan.jsonl"], 73,
      "/no/plan.jsonl"
    ),
  ])
  func mistakesAreOneLine(arguments: [String], code: Int, part: String) async throws {
    expectRefusal(try await Program.run(arguments), code: Int32(code), saying: part)
  }
}
