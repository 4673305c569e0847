import ArgumentParser
import Generation
import Glibc

/// The program: words in, pictures with their records out.
@main
struct TriptychCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "triptych",
    abstract: "Makes pictures from words with a Stable Diffusion model, and data sets of them.",
    discussion: """
      Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 done and the answer is no, \
      64 usage, 65 bad data, 66 input missing, 70 a bug, 73 cannot create output, 74 input/output error, \
      75 disk full or lock held, 78 the folder has another configuration, 130 and 143 stopped by a signal.
      """,
    version: ProgramVersion.text,
    subcommands: [
      PlanCommand.self, GenerateCommand.self, ComposeCommand.self, InspectCommand.self,
      ExportCommand.self, ImportCommand.self, GalleryCommand.self, StatsCommand.self,
      MergeCommand.self, FilterCommand.self, VerifyCommand.self, InvertCommand.self,
      GroundCommand.self, TrainCommand.self, LabelCommand.self, SegmentCommand.self,
      EvaluateCommand.self,
      TokenizeCommand.self, CheckpointCommand.self,
      BenchCommand.self,
      DoctorCommand.self,
    ])

  static func main() {
    Interruption.install()
    do {
      let arguments = try CommandLineArguments.read()
      var command = try parseAsRoot(try ConfigurationFile.expand(arguments, root: Self.self))
      try command.run()
    } catch {
      Glibc.exit(report(error))
    }
  }

  /// Tells people what went wrong in one line; help is a result and goes to stdout.
  private static func report(_ error: any Error) -> Int32 {
    let code = ExitCodes.code(for: error)
    if code == 0 {
      do {
        try Console.result(fullMessage(for: error))
        return 0
      } catch {
        Console.note("triptych: \(error)")
        return ExitCodes.code(for: error)
      }
    }
    // A command that did its work and has an answer of its own says so with a bare code.
    if error is ExitCode { return code }
    Console.note("triptych: \(Console.oneLine(text(of: error, code: code)))")
    return code
  }

  private static func text(of error: any Error, code: Int32) -> String {
    let message = message(for: error)
    let lines = message.split(separator: "\n").map { line in
      String(line.drop { $0 == " " })
    }.filter { !$0.isEmpty }
    let text = lines.joined(separator: " ")
    return text.isEmpty ? "\(error)" : text
  }
}
