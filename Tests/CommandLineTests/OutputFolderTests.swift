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
      // A process of its own watches, which does not wait for other tests: the first picture's entry is there for a
      // moment only. The program may be making a file while the folder goes, which keeps it: hence the second loop.
      let script = """
        run="$1"; shift
        "$0" "$@" & program=$!
        until [ -e "$run/partial/journal-00000/000000000.json" ]; do
          kill -0 $program || break
          sleep 0.005
        done
        for attempt in $(seq 100); do [ -e "$run" ] && rm -rf "$run"; done 2> /dev/null
        wait $program
        """
      let outcome = try await Program.shell(script, [run] + arguments)
      #expect(outcome.code == 74 && outcome.output.isEmpty, "\(outcome.output)\(outcome.error)")
      // On a busy machine lines of progress come before it, which do not begin with the program's name.
      let told = outcome.errorLines.filter {
        $0.hasPrefix("triptych: ") && !$0.hasPrefix("triptych: memory: about ")
      }
      #expect(told.count == 1 && told.allSatisfy { $0.contains("removed") }, "\(outcome.error)")
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
