import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// The memory that is announced against the memory that is taken.
@Suite(.serialized) struct MemoryTests {
  /// A run and what it is called.
  struct Case: CustomTestStringConvertible {
    var name: String
    var options: [String]

    var testDescription: String { name }
  }

  private static let pictures = ["--vocabulary", "dog,cat,mug", "--objects", "1-2", "--steps", "2"]
  private static let cases = [
    Case(name: "embedded, batch 1", options: ["--count", "2"]),
    Case(name: "embedded, batch 4", options: ["--count", "8", "--batch", "4"]),
    Case(
      name: "embedded, batch 4, attention",
      options: ["--count", "8", "--batch", "4", "--mask-source", "attention"]),
    Case(
      name: "embedded, batch 4, no masks",
      options: ["--count", "4", "--batch", "4", "--no-masks"]),
    Case(
      name: "embedded, 256 pixels",
      options: ["--count", "2", "--batch", "2", "--size", "256"]),
    Case(
      name: "tiny, 256 pixels, batch 4",
      options: [
        "--count", "4", "--batch", "4", "--model", Program.tinyModel, "--scheduler", "ddim",
      ]
        + ["--size", "256"]),
    Case(
      name: "tiny, 768 x 256 pixels",
      options: ["--count", "1", "--model", Program.tinyModel, "--scheduler", "ddim"]
        + ["--width", "768", "--height", "256"]),
  ]
  /// Cases of a full-size model, where one is at hand.
  private static let fullSize: [Case] = {
    guard let model = ProcessInfo.processInfo.environment["TRIPTYCH_FULL_SIZE_MODEL"] else {
      return []
    }
    func one(_ name: String, _ options: [String]) -> Case {
      Case(name: "full size, " + name, options: ["--model", model] + options)
    }
    return [
      one("512 pixels", ["--count", "1"]),
      one("512 pixels, batch 2", ["--count", "2", "--batch", "2"]),
      one("512 pixels, no masks", ["--count", "1", "--no-masks"]),
      one("256 pixels", ["--count", "1", "--size", "256"]),
      one("768 x 512 pixels", ["--count", "1", "--width", "768", "--height", "512"]),
      one("1024 pixels, no masks", ["--count", "1", "--size", "1024", "--no-masks"]),
    ]
  }()

  private func result(_ outcome: Program.Outcome) throws -> JSONValue {
    #expect(outcome.code <= 1, "\(outcome.error)")
    return try JSONValue.parse(Array(try #require(outcome.lines.last).utf8))
  }

  @Test(arguments: cases + fullSize)
  func thePeakIsWithinATenthOfWhatWasAnnounced(run: Case) async throws {
    try await withFolder { folder in
      let options = Self.pictures + run.options
      let plan = try result(
        try await Program.run(["plan", "--json", "--no-measure"] + options, in: folder))
      let planned = try #require(plan["peak_bytes"]?.integer)
      let outcome = try await Program.run(
        ["generate", "--json", "--output", "run"] + options, in: folder)
      let measured = try #require(try result(outcome)["peak_rss_bytes"]?.integer)
      let share = Double(measured) / Double(planned)
      print("memory \(run.name): planned \(planned), measured \(measured), \(share) of it")
      #expect(abs(share - 1) <= 0.1)
      #expect(outcome.errorLines.contains { $0.hasPrefix("triptych: memory: about ") })
    }
  }

  @Test func aLimitMakesBatchesSmallerAndChangesNoByte() async throws {
    try await withFolder { folder in
      let options = Self.pictures + Program.tinyOptions + ["--size", "256", "--count", "4"]
      func pictures(_ name: String, _ more: [String]) async throws -> [String: Data] {
        let outcome = try await Program.run(
          ["generate", "--output", "\(folder)/\(name)", "--batch", "4"] + options + more)
        #expect(outcome.code <= 1, "\(outcome.error)")
        #expect(outcome.error.contains("--batch 4 does not fit") == !more.isEmpty)
        return try contents(of: "\(folder)/\(name)")
      }
      func peak(_ batch: String) async throws -> Int {
        let plan = try await Program.run(
          ["plan", "--json", "--no-measure", "--batch", batch] + options)
        return try #require(result(plan)["peak_bytes"]?.integer)
      }
      let limit = try await peak("2")
      let whole = try await pictures("whole", [])
      let limited = try await pictures("limited", ["--memory-limit", "\(limit)"])
      #expect(limited == whole)
      let again = try await Program.run(
        ["plan", "--json", "--no-measure", "--batch", "4", "--memory-limit", "\(limit)"] + options)
      #expect(try result(again)["peak_bytes"]?.integer == limit)
    }
  }

  @Test func piecesChangeNoByte() async throws {
    try await withFolder { folder in
      for tiling in ["auto", "off"] {
        let outcome = try await Program.run(
          ["generate", "--output", "\(folder)/\(tiling)", "--vae-tiling", tiling, "--count", "1"]
            + Self.pictures + Program.tinyOptions + ["--size", "512"])
        #expect(outcome.code <= 1, "\(outcome.error)")
      }
      #expect(try contents(of: folder + "/auto") == contents(of: folder + "/off"))
    }
  }

  @Test func whatDoesNotFitIsNotStarted() async throws {
    try await withFolder { folder in
      let options = Self.pictures + Program.tinyOptions
      let refused = try await Program.run(
        ["generate", "--output", folder + "/run", "--memory-limit", "1MB"] + options)
      expectRefusal(refused, code: 64, saying: "--memory-limit is 1.0 MB")
      #expect(refused.error.contains("the weights alone take"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
      let planned = try await Program.run(
        ["plan", "--json", "--no-measure", "--memory-limit", "1MB"] + options)
      #expect(try result(planned)["peak_bytes"]?.integer ?? 0 > 1_000_000)
      #expect(planned.error.contains("--memory-limit is 1.0 MB"))
    }
    for size in ["", "-1", "much", "6GBB", "1e300", "99999999999TB"] {
      let outcome = try await Program.run(
        ["generate", "--memory-limit=\(size)"] + Self.pictures + Program.tinyOptions)
      #expect(outcome.code == 64 && outcome.error.contains("--memory-limit"), "\(size)")
    }
  }
}
