import CanonicalJSON
import Foundation
import Subprocess
import TestSupport
import Testing

/// The built program, run from outside.
struct Program {
  /// How a run ended.
  struct Outcome {
    /// The exit code; 128 and the signal's number for a run that was killed.
    var code: Int32
    /// stdout.
    var output: String
    /// stderr.
    var error: String

    /// The lines of stdout.
    var lines: [Substring] { output.split(separator: "\n") }
    /// The lines of stderr.
    var errorLines: [Substring] { error.split(separator: "\n") }
  }

  private static let outputLimit = 64 << 20

  /// The folder the tests were built into, where the program lies too.
  static let buildFolder: URL = {
    let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: path ?? CommandLine.arguments[0]).deletingLastPathComponent()
  }()

  /// The program's file.
  static var path: String { buildFolder.appendingPathComponent("triptych").path }

  /// The tiny model with random weights.
  static var tinyModel: String {
    Fixture.folder.appendingPathComponent("diffusion/tiny-sd1").path
  }

  /// Options that every run of the tiny model has.
  static var tinyOptions: [String] {
    [
      "--model", tinyModel, "--scheduler", "ddim", "--size", "32", "--guidance", "3",
      "--precision", "exact",
    ]
  }

  /// The environment in which a call that changes something below a folder fails.
  ///
  /// - Parameters:
  ///   - folder: the folder.
  ///   - call: which of those calls, from 1; none at 0.
  ///   - errno: how it fails; 0 kills the program.
  /// - Returns: the variables.
  static func failing(below folder: String, at call: Int, errno: Int32) -> [String] {
    let library = buildFolder.appendingPathComponent("libFaultInjection.so").path
    return [
      "LD_PRELOAD=\(library)", "FAULT_ROOT=\(folder)", "FAULT_AT=\(call)", "FAULT_ERRNO=\(errno)",
    ]
  }

  /// Runs the program to its end.
  static func run(
    _ arguments: [String], in folder: String = "/", program: String = Program.path,
    environment: [String] = []
  ) async throws -> Outcome {
    try await launch(arguments, in: folder, program: program, environment: environment) { _ in }
  }

  /// Runs a shell command, `$0` being the program.
  static func shell(_ command: String, _ arguments: [String] = []) async throws -> Outcome {
    let result = try await Subprocess.run(
      .name("sh"), arguments: Arguments(["-c", command, path] + arguments),
      output: .string(limit: outputLimit), error: .string(limit: outputLimit))
    return outcome(result.terminationStatus, result.standardOutput, result.standardError)
  }

  /// Runs the program and sends it a signal once `isReady`.
  static func interrupt(
    _ arguments: [String], with signal: Signal, when isReady: @Sendable () -> Bool
  ) async throws -> Outcome {
    try await launch(arguments, in: "/", program: path, environment: []) { send in
      for _ in 0..<6000 where !isReady() { try await Task.sleep(for: .milliseconds(10)) }
      try send(signal)
    }
  }

  /// Runs the program and kills it after a while, unless it ends before.
  static func kill(_ arguments: [String], after delay: Duration) async throws -> Outcome {
    try await launch(arguments, in: "/", program: path, environment: []) { send in
      try await Task.sleep(for: delay)
      // It may have ended meanwhile.
      _ = Result { try send(.kill) }
    }
  }

  private static func launch(
    _ arguments: [String], in folder: String, program: String, environment: [String],
    body: ((Signal) throws -> Void) async throws -> Void
  ) async throws -> Outcome {
    let result = try await Subprocess.run(
      .name("env"), arguments: Arguments(["-C", folder] + environment + [program] + arguments),
      input: .none, output: .string(limit: outputLimit), error: .string(limit: outputLimit)
    ) { execution in
      try await body { try execution.send(signal: $0) }
    }
    return outcome(result.terminationStatus, result.standardOutput, result.standardError)
  }

  private static func outcome(
    _ status: TerminationStatus, _ output: String?, _ error: String?
  ) -> Outcome {
    let code: Int32 =
      switch status {
      case .exited(let code): code
      case .signaled(let signal): 128 + signal
      }
    return Outcome(code: code, output: output ?? "", error: error ?? "")
  }
}

/// Runs `body` with a fresh folder that is removed afterwards; on request in memory where the system offers it, for
/// tests that would wait for the disk a thousand times.
func withFolder<R>(
  inMemory: Bool = false, _ body: (String) async throws -> R
) async throws -> R {
  let folder = try TemporaryFolder(inMemory: inMemory)
  defer { withExtendedLifetime(folder) {} }
  return try await body(folder.path)
}

/// The bytes of every file of a run folder by name, apart from work in progress.
func contents(of folder: String) throws -> [String: Data] {
  var files: [String: Data] = [:]
  let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
  for name in names where !name.hasPrefix("partial") {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
    if !isFolder.boolValue {
      files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
  }
  return files
}

/// Expects one line of error, the program's name first, and the exit code; a run that had started has said before
/// what memory it takes.
func expectRefusal(
  _ outcome: Program.Outcome, code: Int32, saying part: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(outcome.code == code, "\(outcome.error)", sourceLocation: sourceLocation)
  let told = outcome.errorLines.filter { !$0.hasPrefix("triptych: memory: about ") }
  #expect(told.count == 1, "\(outcome.error)", sourceLocation: sourceLocation)
  #expect(outcome.error.hasPrefix("triptych: "), sourceLocation: sourceLocation)
  #expect(outcome.error.contains(part), "\(outcome.error)", sourceLocation: sourceLocation)
  #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
}
