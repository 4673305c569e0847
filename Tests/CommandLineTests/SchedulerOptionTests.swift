import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// `--scheduler` and `--eta`, and what a folder says where they do not.
@Suite struct SchedulerOptionTests {
  private let options = ["generate", "--prompt", "x", "--steps", "2", "--size", "32", "--json"]

  /// The `scheduler` of the one sample that a run of a model makes.
  private func recorded(_ model: String, _ more: [String] = []) async throws -> JSONValue? {
    try await withFolder { folder in
      let outcome = try await Program.run(
        options + ["--model", model, "--output", folder + "/run"] + more)
      #expect(outcome.code == 0 || outcome.code == 1, "\(outcome.error)")
      return try JSONValue.parse(try #require(outcome.lines.first).utf8)["scheduler"]
    }
  }

  /// Runs `body` with a copy of the tiny model under another scheduler file.
  private func withScheduler<R>(_ text: String, _ body: (String) async throws -> R) async throws
    -> R
  {
    try await withFolder { folder in
      let model = folder + "/model"
      try FileManager.default.copyItem(atPath: Program.tinyModel, toPath: model)
      let file = model + "/scheduler/scheduler_config.json"
      try text.write(toFile: file, atomically: false, encoding: .utf8)
      return try await body(model)
    }
  }

  @Test(arguments: ["pndm", "dpm++2m", "dpm++2m-karras", "euler", "euler-ancestral"])
  func theOneAskedForIsRecorded(name: String) async throws {
    #expect(try await recorded(Program.tinyModel, ["--scheduler", name]) == .string(name))
  }

  @Test func withoutTheOptionTheFolderDecides() async throws {
    #expect(try await recorded(Program.tinyModel) == "pndm")
    // As diffusers saves it, with a number that JSON does not have.
    let file = """
      {"_class_name": "DPMSolverMultistepScheduler", "beta_start": 0.00085, "beta_end": 0.012,
       "beta_schedule": "scaled_linear", "lambda_min_clipped": -Infinity, "solver_order": 2,
       "algorithm_type": "dpmsolver++", "use_karras_sigmas": true, "variance_type": null}
      """
    try await withScheduler(file) { model in
      let (own, other) = (
        try await recorded(model), try await recorded(model, ["--scheduler", "euler"])
      )
      #expect(own == "dpm++2m-karras" && other == "euler")
    }
    try await withScheduler(file.replacingOccurrences(of: ": 2", with: ": 3")) { model in
      let outcome = try await Program.run(options + ["--model", model, "--output", "/no/such/run"])
      expectRefusal(
        outcome, code: 65, saying: "scheduler_config.json: solver_order: found 3, supported: 2")
    }
  }

  @Test func etaIsForDDIMOnly() async throws {
    for name in ["pndm", "euler", "euler-ancestral", "dpm++2m"] {
      try await withFolder { folder in
        let outcome = try await Program.run(
          options + [
            "--model", Program.tinyModel, "--scheduler", name, "--eta", "0.5", "--output",
            folder + "/run",
          ])
        expectRefusal(outcome, code: 64, saying: "eta: found 0.5, expected 0, since \(name) has no")
        #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
      }
    }
    let unknown = try await Program.run(options + ["--scheduler", "dpm"])
    #expect(unknown.code == 64 && unknown.error.contains("euler-ancestral"), "\(unknown.error)")
  }

  @Test func stepsTheScheduleDoesNotHoldAreRefusedBeforeAnythingIsMade() async throws {
    try await withFolder { folder in
      let outcome = try await Program.run([
        "generate", "--prompt", "x", "--size", "32", "--model", Program.tinyModel, "--scheduler",
        "dpm++2m", "--steps", "1000", "--output", folder + "/run", "--dry-run",
      ])
      expectRefusal(outcome, code: 64, saying: "steps: ")
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
    }
  }

  @Test func noiseOfStepsDoesNotDependOnTheBatch() async throws {
    try await withFolder { folder in
      for batch in ["1", "3"] {
        let outcome = try await Program.run([
          "generate", "--prompt", "x", "--count", "3", "--steps", "3", "--size", "32", "--model",
          Program.tinyModel, "--scheduler", "euler-ancestral", "--seed", "4", "--batch", batch,
          "--output", folder + "/" + batch,
        ])
        #expect(outcome.code == 0 || outcome.code == 1, "\(outcome.error)")
      }
      let (one, three) = (try contents(of: folder + "/1"), try contents(of: folder + "/3"))
      #expect(one.count > 5 && one == three)
    }
  }

  @Test func theInversionIsNoWayToMakePictures() async throws {
    let outcome = try await Program.run(
      ["generate", "--prompt", "x"] + Program.tinyOptions + ["--scheduler", "ddim-inverse"])
    expectRefusal(outcome, code: 64, saying: "triptych invert")
    #expect(outcome.error.contains("--scheduler: ddim, pndm, "))
  }

  @Test func aFolderThatNamesTheInversionInvertsAsItIs() async throws {
    try await withFolder { folder in
      let model = folder + "/model"
      try FileManager.default.copyItem(atPath: Program.tinyModel, toPath: model)
      let file = model + "/scheduler/scheduler_config.json"
      let text = try String(contentsOfFile: file, encoding: .utf8)
      let name = try #require(text.firstMatch(of: /"_class_name": *"([A-Za-z]+)"/)).1
      func inverted(_ output: String) async throws -> Data {
        let picture = Fixture.folder.appendingPathComponent("imaging/plain-rgb.jpg").path
        let outcome = try await Program.run([
          "invert", picture, "--model", model, "--size", "32", "--steps", "3", "--save-latents",
          "\(folder)/\(output)",
        ])
        #expect(outcome.code == 0, "\(outcome.error)")
        return try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(output)"))
      }
      let before = try await inverted("before")
      try text.replacingOccurrences(of: name, with: "DDIMInverseScheduler")
        .write(toFile: file, atomically: false, encoding: .utf8)
      #expect(try await inverted("after") == before)
      let refused = try await Program.run([
        "generate", "--prompt", "x", "--model", model, "--size", "32", "--output", folder + "/run",
      ])
      expectRefusal(refused, code: 64, saying: "scheduler_config.json")
    }
  }
}
