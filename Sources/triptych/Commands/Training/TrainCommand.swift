import ArgumentParser

/// `triptych train`: what the program learns itself.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains the parts of a model that the program trains itself.",
    subcommands: [TrainGroundingCommand.self, TrainSegmenterCommand.self])
}
