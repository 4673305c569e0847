import Foundation
import Testing

@Suite struct OutputFolderTests {
  private var command: [String] {
    ["generate", "--prompt", "x", "--no-masks", "--count", "2", "--steps", "1"]
      + Program.tinyOptions
  }

  /// Whether permissions bind the user who runs the tests.
  static var isRoot: Bool { geteuid() == 0 }

  @Test func aFileWhereAFolderShouldBeIsExit73() async throws {
    try await withFolder { folder in
      try "x".write(toFile: folder + "/file", atomically: false, encoding: .utf8)
      for place in ["/file", "/file/below"] {
        expectRefusal(
          try await Program.run(command + ["--output", folder + place]), code: 73, saying: "file")
      }
      for option in ["--contact-sheet", "--save-latents"] {
        let outcome = try await Program.run(
          command + ["--output", folder + "/run", option, folder + "/no/such"])
        expectRefusal(outcome, code: 73, saying: folder + "/no/such")
        #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
      }
    }
  }

  @Test(.enabled(if: !OutputFolderTests.isRoot, "permissions do not bind root"))
  func aReadOnlyFolderIsExit73() async throws {
    try await withFolder { folder in
      chmod(folder, 0o555)
      expectRefusal(
        try await Program.run(command + ["--output", folder + "/run"]), code: 73, saying: folder)
    }
  }

  @Test func aFolderOfTheKernelIsExit73() async throws {
    let outcome = try await Program.run(command + ["--output", "/proc/triptych-run"])
    expectRefusal(outcome, code: 73, saying: "/proc/triptych-run")
  }

  /// Runs the program in a file system of `size` bytes of its own; nil where this machine does not let us.
  private func runInSmallDisk(_ size: String, _ folder: String) async throws -> Program.Outcome? {
    let script = """
      mount -t tmpfs -o size=\(size) tmpfs "$1" || exit 99
      dir="$1"; shift
      "$0" "$@" --output "$dir/run"
      code=$?
      find "$dir/run/shards" -name '*.png' | wc -l
      mount -o remount,size=64m "$dir" && "$0" "$@" --output "$dir/run" && echo resumed
      exit $code
      """
    let outcome = try await Program.shell(
      "exec unshare -m sh -c '\(script.replacingOccurrences(of: "'", with: "'\\''"))' \"$0\" \"$@\"",
      [folder] + command + ["--size", "256", "--count", "12"].map { $0 })
    return outcome.code == 99 || outcome.error.contains("unshare") ? nil : outcome
  }

  @Test(.enabled(if: OutputFolderTests.isRoot, "only root can mount a small disk"))
  func aFullDiskIsExit75AndTheRunGoesOn() async throws {
    try await withFolder { folder in
      guard let outcome = try await runInSmallDisk("1500k", folder) else {
        withKnownIssue("this machine does not let tests mount a small disk") {
          Issue.record("not tested")
        }
        return
      }
      #expect(outcome.code == 75, "\(outcome.error)")
      // The estimate lets it begin; writing hits the end of the disk.
      #expect(outcome.error.contains("No space left"), "\(outcome.error)")
      #expect(outcome.output.contains("resumed"), "\(outcome.output) \(outcome.error)")
    }
  }

  @Test(.enabled(if: OutputFolderTests.isRoot, "only root can mount a folder read-only"))
  func aReadOnlyDiskIsExit73AndVerifyReadsIt() async throws {
    try await withFolder { folder in
      let made = try await Program.run(command + ["--output", folder + "/run"])
      #expect(made.code == 0)
      let script = """
        mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99
        dir="$1"; shift
        "$0" verify "$dir/run"; echo "verify $?"
        "$0" filter "$dir/run" --reset; echo "filter $?"
        exec "$0" "$@" --output "$dir/other"
        """
      let outcome = try await Program.shell(
        "exec unshare -m sh -c '\(script)' \"$0\" \"$@\"", [folder] + command)
      guard outcome.code != 99, !outcome.error.contains("unshare") else {
        withKnownIssue("this machine does not let tests mount a folder read-only") {
          Issue.record("not tested")
        }
        return
      }
      #expect(outcome.code == 73, "\(outcome.error)")
      #expect(outcome.error.contains("Read-only file system"))
      #expect(outcome.output.contains("verify 0") && outcome.output.contains("filter 73"))
    }
  }

  @Test func aFolderRemovedUnderTheRunIsToldAndTheSameCommandBeginsAnew() async throws {
    try await withFolder(inMemory: true) { folder in
      let run = folder + "/run"
      let arguments =
        ["generate", "--prompt", "x", "--no-masks", "--count", "3", "--steps", "300"]
        + Program.tinyOptions
        + ["--output", run]
      async let running = Program.run(arguments)
      let entry = run + "/partial/journal-00000/000000000.json"
      for _ in 0..<6000 where !FileManager.default.fileExists(atPath: entry) {
        try await Task.sleep(for: .milliseconds(5))
      }
      // The program may be making a file at this moment, which keeps the folder.
      for _ in 0..<100 where FileManager.default.fileExists(atPath: run) {
        _ = Result { try FileManager.default.removeItem(atPath: run) }
      }
      expectRefusal(try await running, code: 74, saying: "removed")
      #expect(!FileManager.default.fileExists(atPath: run))
      #expect(try await Program.run(arguments).code == 0)
      #expect(try await Program.run(["verify", run]).code == 0)
    }
  }

  @Test func twoRunsOnOneFolderAreKeptApart() async throws {
    try await withFolder { folder in
      let arguments =
        ["generate", "--prompt", "x", "--no-masks", "--count", "3", "--steps", "200"]
        + Program.tinyOptions
        + ["--output", folder + "/run"]
      async let first = Program.run(arguments)
      async let second = Program.run(arguments)
      let outcomes = try await [first, second]
      #expect(outcomes.contains { $0.code == 0 })
      #expect(outcomes.allSatisfy { $0.code == 0 || $0.code == 75 })
      for loser in outcomes where loser.code == 75 {
        expectRefusal(loser, code: 75, saying: "in use by process")
      }
      let checked = try await Program.run(["verify", folder + "/run"])
      #expect(checked.code == 0, "\(checked.output)")
    }
  }
}
