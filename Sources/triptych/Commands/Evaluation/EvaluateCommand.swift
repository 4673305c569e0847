import ArgumentParser

/// `triptych evaluate`: what masks are worth.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measures masks against the truth.",
    subcommands: [
      EvaluateGroundingCommand.self, EvaluateSegmenterCommand.self, EvaluateMasksCommand.self,
    ])
}
