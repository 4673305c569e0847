import Foundation
import Glibc
import TestSupport
import Testing

/// Hostile files in front of the built program: one line, the exit code of bad data, little memory and little time.
@Suite struct HostileFileProgramTests {
  /// All large files, and a third of the rest.
  ///
  /// Weights that are no numbers are found by who reads them, not by a report.
  private static let files = HostileFile.all.enumerated().filter { index, file in
    file.name.hasPrefix("large-") || index.isMultiple(of: 3) && !file.says.hasPrefix("is ")
  }.map { $0.element }

  /// In a process of its own: a process that is started counts the memory of the one that started it.
  @Test func aReportOfAHostileFileIsOneLineAndTakesLittle() async {
    let told = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
      precondition(Self.files.count >= 60)
      try await withFolder(inMemory: true) { folder in
        var (largest, slowest) = ((bytes: 0, name: ""), (time: Duration.zero, name: ""))
        for file in Self.files {
          let path = "\(folder)/\(file.name)"
          try Data(file.bytes()).write(to: URL(fileURLWithPath: path))
          let run = try MeasuredRun(["checkpoint", path], errors: folder + "/errors")
          precondition(run.code == 65, "\(file.name): \(run.code) \(run.error)")
          precondition(
            run.error.hasPrefix("triptych: \(path): ") && run.error.contains(file.says)
              && run.error.firstIndex(of: "\n") == run.error.indices.last, "\(run.error)")
          precondition(run.peakBytes < 200_000_000, "\(file.name): \(run.peakBytes) bytes")
          precondition(run.duration < .seconds(5), "\(file.name): \(run.duration)")
          if run.peakBytes > largest.bytes { largest = (run.peakBytes, file.name) }
          if run.duration > slowest.time { slowest = (run.duration, file.name) }
        }
        print("\(Self.files.count) hostile files: at most \(largest), \(slowest)")
      }
    }
    print(String(decoding: told?.standardOutputContent ?? [], as: UTF8.self))
  }

  @Test(arguments: [
    "zip-entry-in-an-entry", "pickle-os-system-called", "pickle-storage-of-two-types",
    "large-billion-laughs", "safetensors-half-precision-of-8-bits", "other-large-file-pointer",
  ])
  func aHostileModelMakesNothing(_ name: String) async throws {
    let file = try #require(HostileFile.all.first { $0.name == name })
    try await withFolder(inMemory: true) { folder in
      let path = folder + "/model.ckpt"
      try Data(file.bytes()).write(to: URL(fileURLWithPath: path))
      let model = ["--prompt", "a cat", "--model", path, "--output", folder + "/run"]
      let outcome = try await Program.run(["generate"] + model)
      expectRefusal(outcome, code: 65, saying: file.says)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model.ckpt"])
    }
  }
}

/// One run of the program, its memory and time measured.
private struct MeasuredRun {
  var code: Int32
  var error: String
  var peakBytes: Int
  var duration: Duration

  init(_ arguments: [String], errors: String) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var words: [UnsafeMutablePointer<CChar>?] = ([Program.path] + arguments).map { strdup($0) }
    defer { for word in words { free(word) } }
    words.append(nil)
    let environment: [UnsafeMutablePointer<CChar>?] = [nil]
    let start = ContinuousClock.now
    var child: pid_t = 0
    try #require(posix_spawn(&child, Program.path, &actions, nil, words, environment) == 0)
    var (status, usage) = (Int32(0), rusage())
    while wait4(child, &status, 0, &usage) < 0 { try #require(errno == EINTR) }
    duration = ContinuousClock.now - start
    code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    error = try String(contentsOfFile: errors, encoding: .utf8)
    // Linux counts in kibibytes.
    peakBytes = Int(usage.ru_maxrss) << 10
  }
}
