import ArgumentParser
import Generation
import LatentDiffusion
import ObjectWorld

/// What pictures of a training are like.
struct TrainingPictureOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Classes in a composed scene: 2, 1-3, or with weights 1:3,2:1.", valueName: "n|n-m|n:w,…"))
  var objects = "1-3"

  @Option(
    name: .long,
    help: ArgumentHelp("Width and height in pixels (default: the model's own).", valueName: "n"))
  var size: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("How pictures are brought to the steps that are read.", valueName: "method"))
  var inversion: LatentInverter.Method = .noise

  func validate() throws {
    if let size, !(SceneSettings.sides ~= size) {
      throw ValidationError(
        "--size: found \(size), expected \(SceneSettings.sides.lowerBound) to \(SceneSettings.sides.upperBound)"
      )
    }
  }

  /// How many classes a scene shows.
  ///
  /// - Throws: `GenerationError` where `--objects` is no count.
  func objectCounts() throws -> ObjectCounts { try ObjectCounts(parsing: objects) }
}
