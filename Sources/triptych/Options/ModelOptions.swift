import ArgumentParser
import DefaultModel
import Generation

/// Which model to use.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Model folder in the diffusers layout; the embedded model if not said.", valueName: "path"))
  var model: String?

  /// The model's folder.
  ///
  /// - Throws: ``GenerationError`` where the embedded model is not beside the executable.
  func folder() throws -> String { try model ?? Self.embeddedFolder() }

  /// The folder of the embedded model.
  ///
  /// - Throws: ``GenerationError`` where it is not beside the executable.
  static func embeddedFolder() throws -> String {
    try ResourceFolder.bundle(target: DefaultModel.target) + "/" + DefaultModel.folder
  }
}
