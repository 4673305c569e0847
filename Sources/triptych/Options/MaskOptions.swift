public import ArgumentParser
import Generation
public import MaskGrounding

extension AttentionSettings.Normalisation: ExpressibleByArgument {}

/// How masks are read.
struct MaskOptions: ParsableArguments {
  /// What reads masks.
  enum Source: String, CaseIterable, ExpressibleByArgument {
    case grounding
    case attention
  }

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What reads masks: a grounding module, or the attention of picture to prompt (default: grounding where there is "
        + "a module, else attention).", valueName: "source"))
  var maskSource: Source?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Weights of a grounding module, .safetensors or .pth, made for the model (default: the embedded module where the "
        + "model is the embedded one).", valueName: "file")
  )
  var grounding: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The presence from which on an entity may be in the mask, 0 to 1 (default: the module's own, 0 where attention reads).",
      valueName: "x"))
  var presenceThreshold: Float?

  @Flag(
    name: .long,
    help:
      "Mark pixels along edges that could as well belong to the other side with the ignore label.")
  var ignoreBand = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How often attention's maps are drawn out by self-attention, 0 for not at all.",
      valueName: "n"))
  var attentionRefinement = usual.refinement?.power ?? 0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How attention's maps are scaled before they are cut: from their smallest value, or from 0.",
      valueName: "way"))
  var attentionScale = usual.normalisation

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The scaled attention from which on a pixel is an entity's, between 0 and 1.",
      valueName: "x"))
  var attentionThreshold = usual.threshold

  private static let usual = AttentionSettings()
  private static let refinementRange = 0...16

  /// How attention becomes maps.
  var attention: AttentionSettings {
    AttentionSettings(
      refinement: attentionRefinement == 0 ? nil : .init(power: attentionRefinement),
      normalisation: attentionScale, threshold: attentionThreshold)
  }

  func validate() throws {
    guard Self.refinementRange ~= attentionRefinement else {
      throw ValidationError(
        "--attention-refinement: found \(attentionRefinement), expected 0 to "
          + "\(Self.refinementRange.upperBound)")
    }
    guard attentionThreshold > 0, attentionThreshold < 1 else {
      throw ValidationError(
        "--attention-threshold: found \(attentionThreshold), expected more than 0 and less than 1")
    }
    if let presenceThreshold, !(0...1 ~= presenceThreshold) {
      throw ValidationError("--presence-threshold: found \(presenceThreshold), expected 0 to 1")
    }
    if grounding != nil, attention != Self.usual {
      throw ValidationError("--attention-… and --grounding do not go together")
    }
    if maskSource == .grounding, attention != Self.usual {
      throw ValidationError("--attention-… and --mask-source grounding do not go together")
    }
    if maskSource == .attention, grounding != nil {
      throw ValidationError("--grounding and --mask-source attention do not go together")
    }
    if grounding?.isEmpty == true {
      throw ValidationError("--grounding: is empty, expected a file")
    }
  }

  /// How masks are read; hashes the weights file.
  ///
  /// What a prompt names counts as being there where attention reads: its presence is a measure of how much a map
  /// stands out, and no judge. A rule (`min_presence`) may use it.
  ///
  /// - Parameters:
  ///   - model: the model that is read.
  ///   - entities: what to look for where prompts are written by hand.
  ///   - flipCheck: whether mirrored pictures are read too.
  /// - Returns: the settings.
  /// - Throws: ``GenerationError`` where there are no weights, or they cannot be read.
  func settings(
    for model: ModelOptions, entities: [String] = [], flipCheck: Bool = false
  ) throws -> MaskSettings {
    let weights = try weights(for: model)
    return MaskSettings(
      source: try weights.map { .grounding(path: $0, sha256: try FileDigest.sha256(of: $0)) }
        ?? .attention(attention),
      composition: try composition(grounding: weights), entities: entities, flipCheck: flipCheck)
  }

  /// How the maps of a grounding module become masks, those of attention where nil.
  ///
  /// - Throws: `CheckpointError` where the file is no grounding module.
  func composition(grounding path: String?) throws -> MaskComposer.Settings {
    let own = try path.map { try GroundingWeights(path: $0).configuration.presenceThreshold }
    return MaskComposer.Settings(
      presenceThreshold: presenceThreshold ?? own ?? 0,
      ignoreBand: ignoreBand ? MaskComposer.Settings.usualIgnoreBand : nil)
  }

  /// The weights of the grounding module; nil where attention reads.
  private func weights(for model: ModelOptions) throws -> String? {
    if let grounding { return grounding }
    guard maskSource != .attention, attention == Self.usual else { return nil }
    if let embedded = try model.embeddedGrounding() { return embedded }
    guard maskSource != .grounding else {
      throw GenerationError(
        .usage, "--mask-source",
        "grounding needs the weights of a grounding module: give --grounding FILE, or --mask-source attention"
      )
    }
    return nil
  }
}
