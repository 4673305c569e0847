public import ArgumentParser
import DatasetExports
import DatasetFormat
import Generation
public import GroundingTraining
import LatentDiffusion
import ObjectWorld

extension InstanceAnnotations.Target: ExpressibleByArgument {}

/// What pictures of a training are like.
struct TrainingPictureOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Classes in a composed scene: 2, 1-3, or with weights 1:3,2:1 (default: 1-3).",
      valueName: "n|n-m|n:w,…"))
  var objects: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Width and height in pixels (default: the model's own).", valueName: "n"))
  var size: Int?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How pictures are brought to the steps that are read (default: noise; pictures that this model generated are "
        + "made again instead).", valueName: "method"))
  var inversion: LatentInverter.Method?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Instances of a detector for the run's pictures: a COCO file with outlines or runs (default: the run's own masks).",
      valueName: "file"))
  var annotations: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What is learnt of several instances of a class: the best one or all together (default: union).",
      valueName: "target"))
  var target: InstanceAnnotations.Target?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The lowest score of an instance that counts, 0 to 1 (default: 0).", valueName: "x"))
  var scoreCut: Double?

  /// Refuses options of the other kind of data.
  func validate(isRun: Bool) throws {
    let ofRuns = [
      ("--annotations", annotations != nil), ("--target", target != nil),
      ("--score-cut", scoreCut != nil),
    ].first(where: \.1)
    if let ofRuns, !isRun { throw ValidationError("\(ofRuns.0) goes with --data") }
    if let ofRuns, annotations == nil {
      throw ValidationError("\(ofRuns.0) goes with --annotations, whose instances it chooses from")
    }
    if isRun, objects != nil { throw ValidationError("--objects goes with --world") }
    if let scoreCut, !(0...1 ~= scoreCut) {
      throw ValidationError("--score-cut: found \(scoreCut), expected 0 to 1")
    }
    if let size, !(SceneSettings.sides ~= size) {
      throw ValidationError(
        "--size: found \(size), expected \(SceneSettings.sides.lowerBound) to \(SceneSettings.sides.upperBound)"
      )
    }
  }

  /// How many classes a scene shows.
  ///
  /// - Throws: `GenerationError` where `--objects` is no count.
  func objectCounts() throws -> ObjectCounts { try ObjectCounts(parsing: objects ?? "1-3") }

  /// A detector's masks; nil for the run's own.
  ///
  /// - Throws: `GenerationError` or `ExportError` where the file is broken or does not fit the run.
  func annotations(
    of run: RunContents, classes: TrainingClasses
  ) throws -> InstanceAnnotations? {
    guard let annotations else { return nil }
    return try InstanceAnnotations(
      COCOAnnotationFile(
        bytes: FileAccess.bytes(of: annotations, limit: COCOAnnotationFile.byteLimit),
        path: annotations), digest: FileDigest.sha256(of: annotations), run: run,
      classes: classes, target: target ?? .union, scoreCut: scoreCut ?? 0)
  }
}
