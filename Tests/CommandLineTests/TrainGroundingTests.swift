import CanonicalJSON
import DatasetFormat
import Foundation
import Subprocess
import TestSupport
import Testing

/// `train grounding` on the built program.
@Suite struct TrainGroundingTests {
  private var pack: String { Fixture.folder.appendingPathComponent("world").path }

  private func command(_ output: String, steps: Int = 4) -> [String] {
    [
      "train", "grounding", "--model", Program.tinyModel, "--precision", "exact", "--steps",
      "\(steps)", "--batch", "2", "--sampling-steps", "3", "--module-width", "32",
      "--module-layers", "1", "--save-every", "2", "--threads", "1", "--output", output, "--json",
    ]
  }

  private var world: [String] { ["--world", pack, "--seen-share", "0.75", "--size", "32"] }

  private func result(_ outcome: Program.Outcome) throws -> JSONValue {
    #expect(outcome.code == 0, "\(outcome.error)")
    return try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  /// What follows from the command alone: not the log, which has times.
  private func product(_ folder: String) throws -> [String: Data] {
    try contents(of: folder).filter { !$0.key.hasSuffix(".jsonl") }
  }

  @Test func aTrainingOnScenesProvesThatUnseenClassesWereNotLearnt() async throws {
    try await withFolder(inMemory: true) { folder in
      let output = folder + "/out"
      let outcome = try await Program.run(command(output) + world)
      let found = try result(outcome)
      #expect(found["event"] == "result" && found["seen_samples"] == 8)
      #expect(found["unseen_samples"] == 0 && outcome.lines.count == 1)
      let weights = try Data(contentsOf: URL(fileURLWithPath: output + "/weights.safetensors"))
      #expect(found["weights_sha256"]?.string == ContentHash.sha256(weights))
      let names = try FileManager.default.contentsOfDirectory(atPath: output).sorted()
      #expect(names == ["split.tsv", "train.jsonl", "training.json", "weights.safetensors"])
      let table = try String(contentsOfFile: output + "/split.tsv", encoding: .utf8)
      let rows = table.split(separator: "\n").dropFirst().map { $0.split(separator: "\t") }
      #expect(rows.count == 12)
      let unseen = rows.filter { $0[1] == "unseen" }
      #expect(unseen.map { $0[0] } == ["cat", "lamp", "umbrella"])
      #expect(unseen.allSatisfy { $0[2] == "0" && $0[3] == "0" })
      let shown = rows.compactMap { Int($0[2]) }.reduce(0, +)
      #expect(shown >= 8)
      let log = try String(contentsOfFile: output + "/train.jsonl", encoding: .utf8)
      let lines = try log.split(separator: "\n").map { try JSONValue.parse(Array($0.utf8)) }
      #expect(lines.map { $0["step"]?.integer } == [1, 2, 3, 4])
      #expect(lines.allSatisfy { ($0["loss"]?.number ?? 0) > 0 && $0["unseen"] == 0 })
      #expect(lines.allSatisfy { ($0["images_per_second"]?.number ?? 0) > 0 })
      #expect(lines.compactMap { $0["shown"]?.elements?.count }.reduce(0, +) == shown)

      // Finished, the same command says the same; another one is refused.
      let again = try result(await Program.run(command(output) + world))
      #expect(again["steps_made"] == 0 && again["weights_sha256"] == found["weights_sha256"])
      let other = try await Program.run(command(output, steps: 5) + world)
      expectOneError(other, code: 78, saying: "training.steps is 4 in the folder and 5 now")
      // The module that came out reads masks.
      let inspected = try await Program.run(
        [
          "inspect", "a dog", "--entities", "dog,cat", "--grounding",
          output + "/weights.safetensors",
        ]
          + Program.tinyOptions + ["--steps", "2", "--output", folder + "/look"])
      #expect(inspected.code == 0, "\(inspected.error)")
    }
  }

  @Test func killsAndFullDisksLoseNothing() async throws {
    try await withFolder(inMemory: true) { folder in
      let counted = try await Program.run(
        command(folder + "/whole/out") + world,
        environment: Program.failing(below: folder + "/whole", at: 0, errno: 28) + [
          "FAULT_REPORT=\(folder)/count"
        ])
      _ = try result(counted)
      let expected = try product(folder + "/whole/out")
      let count = try #require(
        Int(String(contentsOfFile: folder + "/count", encoding: .utf8)),
        "the library that makes calls fail was not loaded")
      #expect(count > 20)
      for (lane, share) in [0.01, 0.1, 0.3, 0.5, 0.7, 0.95].enumerated() {
        let call = 1 + Int(share * Double(count))
        let errno: Int32 = lane % 3 == 2 ? 28 : 0
        let output = "\(folder)/cut\(call)/out"
        let cut = try await Program.run(
          command(output) + world,
          environment: Program.failing(below: "\(folder)/cut\(call)", at: call, errno: errno))
        #expect(cut.code == (errno == 0 ? 137 : 75) || cut.code == 0, "\(call): \(cut.error)")
        _ = try result(await Program.run(command(output) + world))
        #expect(try product(output) == expected, "after call \(call)")
      }
    }
  }

  @Test func aSignalSavesTheTraining() async throws {
    try await withFolder(inMemory: true) { folder in
      let (whole, cut) = (folder + "/whole", folder + "/cut")
      _ = try result(await Program.run(command(whole, steps: 60) + world))
      let stopped = try await Program.interrupt(
        command(cut, steps: 60) + world, with: .terminate,
        when: { FileManager.default.fileExists(atPath: cut + "/state.safetensors") })
      #expect(stopped.code == 143, "\(stopped.error)")
      #expect(stopped.error.contains("the training is saved, the same command goes on"))
      let locked = try await Program.run(command(cut, steps: 60) + world)
      let made = try result(locked)["steps_made"]?.integer ?? 0
      #expect(1..<60 ~= made)
      #expect(try product(cut) == product(whole))
    }
  }

  @Test func runsAreLearntFrom() async throws {
    try await withFolder(inMemory: true) { folder in
      let (scenes, made) = (folder + "/scenes", folder + "/made")
      _ = try await Program.run(
        ["compose", "--world", pack, "--count", "8", "--size", "48", "--output", scenes])
      let classes = ["--seen-share", "0.75"]
      let outcome = try await Program.run(
        command(folder + "/a") + classes + [
          "--data", scenes, "--size", "32", "--inversion", "ddim",
        ])
      #expect(try result(outcome)["unseen_samples"] == 0)
      #expect(outcome.error.contains("with an unseen class"))
      // What this model generated is made again, once.
      _ = try await Program.run(
        [
          "generate", "--vocabulary", "dog,mug,car", "--count", "4", "--steps", "3",
          "--mask-source", "attention", "--output", made,
        ] + Program.tinyOptions)
      let output = folder + "/b"
      let found = try result(await Program.run(command(output) + ["--data", made]))
      #expect(found["seen_samples"] == 8)
      let kept = try FileManager.default.contentsOfDirectory(atPath: output + "/latents")
      #expect(kept.count == 4)
      // A detector's masks.
      let file = folder + "/found.json"
      try Data(
        """
        {"images":[{"id":1,"width":32,"height":32,"file_name":"000000000.png"}],
        "categories":[{"id":1,"name":"dog"}],"annotations":[{"id":1,"image_id":1,"category_id":1,
        "segmentation":[[4,4,20,4,20,20,4,20]]}]}
        """.utf8
      ).write(to: URL(fileURLWithPath: file))
      let marked = try await Program.run(
        command(folder + "/c") + ["--data", made, "--annotations", file, "--target", "best"])
      #expect(try result(marked)["seen_samples"] == 8)
      #expect(marked.error.contains("1 samples are learnt from, as this model made them"))
    }
  }

  @Test func badDataEndInOneLine() async throws {
    try await withFolder(inMemory: true) { folder in
      let bad = folder + "/pack"
      try FileManager.default.copyItem(atPath: pack, toPath: bad)
      let picture = try #require(
        FileManager.default.enumerator(atPath: bad + "/cutouts")?.compactMap { $0 as? String }
          .first { $0.hasSuffix(".png") })
      try Data("no picture".utf8).write(
        to: URL(fileURLWithPath: "\(bad)/cutouts/\(picture)"))
      let table = folder + "/classes.tsv"
      try Data("1\tdog\t\tunseen\n2\tcat\t\tunseen\n".utf8).write(
        to: URL(fileURLWithPath: table))
      let few = folder + "/few.tsv"
      try Data("1\tdog\t\tseen\n2\tcat\t\tunseen\n".utf8).write(to: URL(fileURLWithPath: few))
      let cases: [(arguments: [String], code: Int32, told: String)] = [
        ([], 64, "give --world or --data"),
        (["--world", pack, "--data", pack], 64, "do not go together"),
        (["--world", folder + "/none"], 66, "is no folder"),
        (["--world", bad, "--size", "32"], 65, picture),
        (["--world", pack, "--classes", table], 65, "none of its 2 classes is marked seen"),
        (["--world", pack, "--classes", few, "--size", "32"], 65, "scenes of 3 need as many"),
        (["--data", folder], 66, "run.json"),
        (["--world", pack, "--annotations", table], 64, "--annotations goes with --data"),
        (["--data", folder, "--target", "best"], 64, "--target goes with --annotations"),
        (["--world", pack, "--seen-share", "0"], 64, "--seen-share"),
        (["--world", pack, "--split", "objectworld48"], 64, "--split goes with --classes"),
        (
          ["--world", pack, "--init", folder + "/none.safetensors", "--size", "32"], 64,
          "--init and --module-width"
        ),
        (["--world", pack, "--read-step", "3"], 64, "--read-step: found 3, expected 0 to 2"),
        (["--world", pack, "--size", "20"], 64, "--size"),
        (["--world", pack, "--size", "36"], 64, "--size: pictures are 36 x 36"),
      ]
      for (arguments, code, told) in cases {
        let outcome = try await Program.run(command(folder + "/out") + arguments)
        expectOneError(outcome, code: code, saying: told)
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/out/weights.safetensors"))
    }
  }

  @Test func aLossThatIsNoNumberEndsWith65AndKeepsTheWeights() async throws {
    try await withFolder(inMemory: true) { folder in
      let outcome = try await Program.run(
        command(folder + "/out", steps: 40) + world + ["--learning-rate", "1e37"])
      expectOneError(outcome, code: 65, saying: "training step")
      #expect(outcome.error.contains("the weights of the step before are kept"))
      let checked = try await Program.run(
        ["checkpoint", folder + "/out/weights.safetensors", "--json"])
      #expect(try result(checked)["kind"] != nil)
      // Going on meets the same end, and the weights stay.
      let before = try product(folder + "/out")
      let again = try await Program.run(
        command(folder + "/out", steps: 40) + world + ["--learning-rate", "1e37"])
      #expect(again.code == 65)
      #expect(try product(folder + "/out") == before)
    }
  }

  /// Expects one line of error besides what was said before it came to that.
  private func expectOneError(
    _ outcome: Program.Outcome, code: Int32, saying part: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.code == code, "\(outcome.error)", sourceLocation: sourceLocation)
    let lines = outcome.errorLines.filter {
      $0.hasPrefix("triptych: ") && !$0.contains(" are seen, ")
        && !$0.contains("are learnt from")
    }
    #expect(lines.count == 1, "\(outcome.error)", sourceLocation: sourceLocation)
    #expect(
      lines.last?.contains(part) == true, "\(outcome.error)", sourceLocation: sourceLocation)
    #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
  }
}
