import Foundation
import TestSupport
import Testing

/// Runs that are killed and disks that fail, on the built program.
@Suite(.serialized) struct SurvivalTests {
  private static let samples = 200

  /// How many kills: 100, or what TRIPTYCH_SURVIVAL_KILLS says.
  private static var killCount: Int {
    ProcessInfo.processInfo.environment["TRIPTYCH_SURVIVAL_KILLS"].flatMap { Int($0) } ?? 100
  }

  private func command(count: Int, shardSize: Int) -> [String] {
    [
      "generate", "--prompt", "a dog", "--prompt", "a cat", "--entities", "dog,cat", "--count",
      "\(count)", "--shard-size", "\(shardSize)", "--steps", "2", "--threads", "1",
    ] + Program.tinyOptions + ["--size", "64"]
  }

  @Test func killsAtRandomMomentsLoseNothing() async throws {
    try await withFolder(inMemory: true) { folder in
      let (whole, cut) = (folder + "/whole", folder + "/cut")
      let arguments = command(count: Self.samples, shardSize: 20)
      #expect(try await Program.run(arguments + ["--output", whole]).code == 0)
      let expected = try contents(of: whole)
      var generator = SeededGenerator(seed: 2000)
      var longest = Duration.milliseconds(100)
      var (kills, killsOfRun, runs) = (0, 0, 0)
      while kills < Self.killCount {
        let share = Double(generator.next() % 1000) / 1000
        let outcome = try await Program.kill(
          arguments + ["--output", cut], after: longest * share)
        if outcome.code == 137 {
          (kills, killsOfRun) = (kills + 1, killsOfRun + 1)
          // However fast the machine is, a hundred kills shall fall into one run.
          let isAhead = finishedSamples(in: cut) * 100 > killsOfRun * Self.samples
          longest = longest * (isAhead ? 0.8 : 1.1)
          continue
        }
        #expect(outcome.code == 0, "\(outcome.error)")
        #expect(try contents(of: cut) == expected, "after \(kills) kills")
        (killsOfRun, runs) = (0, runs + 1)
        try FileManager.default.removeItem(atPath: cut)
      }
      let last = try await Program.run(arguments + ["--output", cut])
      #expect(last.code == 0, "\(last.error)")
      #expect(try contents(of: cut) == expected)
      #expect(!FileManager.default.fileExists(atPath: cut + "/partial"))
      #expect(try await Program.run(["verify", cut]).code == 0)
      print(
        "\(kills) kills at random moments over \(runs + 1) run(s) of \(Self.samples) samples: bytes equal to the "
          + "undisturbed run's")
    }
  }

  /// Samples that stay when the program is killed, in finished shards and waiting for theirs.
  private func finishedSamples(in run: String) -> Int {
    let names = FileManager.default.enumerator(atPath: run)?.compactMap { $0 as? String } ?? []
    return names.count { name in
      name.hasPrefix("shards/") ? name.hasSuffix(".png") : name.hasSuffix(".image.png")
    }
  }

  /// A call that changes something below the run's folder, and what becomes of it.
  private enum Fault: Int32, CaseIterable {
    case killed = 0
    case diskFull = 28
    case inputOutput = 5

    var code: Int32 {
      switch self {
      case .killed: 137
      case .diskFull: 75
      case .inputOutput: 74
      }
    }

    var words: String { self == .diskFull ? "No space left on device" : "Input/output error" }
  }

  private func environment(_ folder: String, at call: Int, _ fault: Fault) -> [String] {
    Program.failing(below: folder, at: call, errno: fault.rawValue)
  }

  @Test func everyCallThatFailsOnceIsToldAndLosesNothing() async throws {
    try await withFolder(inMemory: true) { folder in
      let arguments = command(count: 2, shardSize: 2)
      let counted = try await Program.run(
        arguments + ["--output", folder + "/whole/run"],
        environment: environment(folder + "/whole", at: 0, .diskFull) + [
          "FAULT_REPORT=\(folder)/count"
        ])
      #expect(counted.code == 0, "\(counted.error)")
      let expected = try contents(of: folder + "/whole/run")
      let count = try #require(
        Int(String(contentsOfFile: folder + "/count", encoding: .utf8)),
        "the library that makes calls fail was not loaded")
      #expect(count > 50)
      for fault in Fault.allCases {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for lane in 0..<2 {
            group.addTask {
              for call in stride(from: 1 + lane, through: count, by: 2) {
                try await check(fault, at: call, arguments, folder, expected)
              }
            }
          }
          try await group.waitForAll()
        }
      }
      print("\(count) calls failed one by one, with ENOSPC, with EIO and by SIGKILL")
    }
  }

  private func check(
    _ fault: Fault, at call: Int, _ arguments: [String], _ folder: String,
    _ expected: [String: Data]
  ) async throws {
    let place = "\(folder)/\(fault)-\(call)"
    let outcome = try await Program.run(
      arguments + ["--output", place + "/run"], environment: environment(place, at: call, fault))
    #expect(outcome.code == fault.code, "call \(call): \(outcome.error)")
    if fault != .killed {
      expectRefusal(outcome, code: fault.code, saying: fault.words)
      #expect(outcome.error.contains(place), "\(outcome.error)")
    }
    let again = try await Program.run(arguments + ["--output", place + "/run"])
    #expect(again.code == 0, "\(fault) at call \(call): \(again.error)")
    #expect(try contents(of: place + "/run") == expected, "\(fault) at call \(call)")
    try FileManager.default.removeItem(atPath: place)
  }
}
