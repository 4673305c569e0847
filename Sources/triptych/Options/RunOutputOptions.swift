import ArgumentParser
import DatasetFormat
import Generation

/// Where a run goes, however it is made.
struct RunOutputOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The run folder (default: Output/<name made from the run>); the same command on it goes on.",
      valueName: "folder"))
  var output: String?

  @Option(name: .long, help: ArgumentHelp("Samples of a shard.", valueName: "n"))
  var shardSize = 100

  @Option(
    name: .long,
    help: ArgumentHelp("Also write a grid of the first pictures to this PNG.", valueName: "file"))
  var contactSheet: String?

  /// Draws the contact sheet where one is asked for.
  ///
  /// - Returns: a line that says where it is; nothing where none was asked for.
  /// - Throws: what drawing and writing throw.
  func writeContactSheet(_ contents: RunContents) throws -> [String] {
    guard let contactSheet else { return [] }
    try RunSheet.write(try RunSheet.draw(contents), to: contactSheet)
    return ["contact sheet: \(contactSheet)"]
  }

  static let shardLimit = 100_000

  func validate() throws {
    guard 1...Self.shardLimit ~= shardSize else {
      throw ValidationError("--shard-size: found \(shardSize), expected 1 to \(Self.shardLimit)")
    }
    if output?.isEmpty == true { throw ValidationError("--output: is empty, expected a folder") }
  }
}
