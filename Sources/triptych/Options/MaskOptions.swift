import ArgumentParser
import Generation
import MaskGrounding

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
      "What reads masks: a grounding module, or the attention of picture to prompt (default: grounding where "
        + "--grounding is given, else attention).", valueName: "source"))
  var maskSource: Source?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Weights of a grounding module, .safetensors or .pth, made for the model.", valueName: "file")
  )
  var grounding: String?

  @Flag(
    name: .long,
    help:
      "Mark pixels along edges that could as well belong to the other side with the ignore label.")
  var ignoreBand = false

  func validate() throws {
    if maskSource == .grounding, grounding == nil {
      throw ValidationError(
        "--mask-source grounding needs the weights of a grounding module: give --grounding FILE, or "
          + "--mask-source attention")
    }
    if maskSource == .attention, grounding != nil {
      throw ValidationError("--grounding and --mask-source attention do not go together")
    }
    if grounding?.isEmpty == true {
      throw ValidationError("--grounding: is empty, expected a file")
    }
  }

  /// What reads masks; hashes the weights file.
  ///
  /// - Throws: ``GenerationError`` where it cannot be read.
  func source() throws -> MaskSettings.Source {
    guard let grounding else { return .attention(AttentionSettings()) }
    return .grounding(path: grounding, sha256: try FileDigest.sha256(of: grounding))
  }

  /// How maps become masks.
  ///
  /// Attention cannot tell whether a thing is there, so what a prompt names is taken to be; a grounding module was
  /// trained to tell.
  var composition: MaskComposer.Settings {
    MaskComposer.Settings(
      presenceThreshold: grounding == nil ? 0 : 0.5,
      ignoreBand: ignoreBand ? MaskComposer.Settings.usualIgnoreBand : nil)
  }
}
