public import ArgumentParser
public import Evaluation
import Generation
import LatentDiffusion

extension GroundingSweep: ExpressibleByArgument {}

/// What grounding is measured on.
struct EvaluationOptions: ParsableArguments {
  /// Where pictures come from.
  enum Source: String, CaseIterable, ExpressibleByArgument {
    case composed
    case generated
  }

  /// How composed scenes become latents.
  enum Inversion: String, CaseIterable, ExpressibleByArgument {
    case noise
    case ddim
    case both
  }

  /// Scenes where nobody says.
  private static let usualCount = 1000

  @Option(
    name: .long,
    help: "Composed scenes of what no training reads, or pictures that the model made.")
  var source = Source.composed

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The pack of cut-outs and backgrounds that scenes are composed of.", valueName: "folder"))
  var world: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --source generated: a run of triptych generate, whose pictures are made once more from their seeds.",
      valueName: "run"))
  var data: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "With --source generated: what is taken for the truth. COCO JSON of any detector (polygons or runs), or a "
        + "segmenter.safetensors of triptych train segmenter.", valueName: "file"))
  var oracle: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Detections of the oracle that are less sure are left out.", valueName: "x"))
  var oracleScore = 0.5

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Classes in a picture: 1, 2 or, composed, 1-2 (default: composed 1-2; generated as many as there are).",
      valueName: "n|n-m"))
  var objects: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Pictures (default: \(usualCount), generated at most as many as the run has).", valueName: "n"
    ))
  var count = usualCount

  @Option(
    name: .long,
    help: ArgumentHelp("How composed scenes become latents.", valueName: "method"))
  var inversion = Inversion.both

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Of the scenes, how many go through ddim inversion beside noising (default: a tenth).",
      valueName: "n"))
  var ddimCount: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("The seed of scenes and noise, 0 to 18446744073709551615.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(name: .long, help: "Give attention's figures in the same table.")
  var baseline = false

  func validate() throws {
    guard 1...1_000_000 ~= count else {
      throw ValidationError("--count: found \(count), expected 1 to 1000000")
    }
    if let ddimCount, !(1...count ~= ddimCount) {
      throw ValidationError("--ddim-count: found \(ddimCount), expected 1 to \(count)")
    }
    if ddimCount != nil, source == .generated || inversion != .both {
      throw ValidationError("--ddim-count goes with --inversion both, of composed scenes")
    }
    guard 0...1 ~= oracleScore else {
      throw ValidationError("--oracle-score: found \(oracleScore), expected 0 to 1")
    }
    switch source {
    case .composed:
      if world == nil { throw ValidationError("--source composed needs --world PACK") }
      if oracle != nil, data == nil {
        throw ValidationError("--oracle goes with --data, whose pictures it labels")
      }
    case .generated:
      if data == nil { throw ValidationError("--source generated needs --data RUN") }
      if oracle == nil { throw ValidationError("--source generated needs --oracle FILE") }
    }
  }

  /// How many classes a composed scene shows.
  ///
  /// - Throws: `GenerationError` where `--objects` is no count.
  func objectCounts() throws -> ObjectCounts { try ObjectCounts(parsing: objects ?? "1-2") }

  /// How many classes a generated picture is to name; any number where nil.
  ///
  /// - Throws: `GenerationError` where `--objects` is no number.
  func namedCount() throws -> Int? {
    try objects.map { text in
      guard let number = Int(text), 1...GenerationPlan.objectLimit ~= number else {
        throw GenerationError(
          .usage, "--objects",
          "found \(text), expected a number from 1 to \(GenerationPlan.objectLimit)")
      }
      return number
    }
  }

  /// The ways that composed scenes become latents, with the number of scenes.
  var passes: [(method: LatentInverter.Method, count: Int)] {
    switch inversion {
    case .noise: [(.noise, count)]
    case .ddim: [(.ddim, count)]
    case .both: [(.noise, count), (.ddim, ddimCount ?? max(1, count / 10))]
    }
  }
}
