package import CanonicalJSON
public import DatasetFormat
import LatentDiffusion

extension GenerationRun {
  /// How the pictures of a run were sampled, read off its configuration.
  ///
  /// - Parameters:
  ///   - contents: the run.
  ///   - model: the model that is to make the pictures once more.
  /// - Returns: the settings.
  /// - Throws: `GenerationError` or `DatasetError` where the run was made by another model or from latents that were
  ///   given, or where its configuration is none of a generated run.
  public static func settings(
    of contents: RunContents, for model: StableDiffusionModel
  ) throws -> SamplingSettings {
    let path = contents.path
    guard let sampling = contents.configuration["sampling"] else {
      throw GenerationError(
        .malformed, path,
        "was not generated; expected a run of triptych generate, for composed scenes there is --source composed"
      )
    }
    guard sampling["latents_sha256"]?.string == nil else {
      throw GenerationError(
        .malformed, path, "was started from latents by hand; its pictures cannot be made from seeds"
      )
    }
    try checkModel(contents, model)
    return try settings(of: sampling, in: contents, pixelsPerCell: model.pixelsPerCell)
  }

  /// The sampling settings that run.json holds, whichever model it names.
  ///
  /// - Throws: `DatasetError` where it does not hold them, `GenerationError` where they do not suit the model.
  package static func settings(
    of sampling: JSONValue, in contents: RunContents, pixelsPerCell: Int
  ) throws -> SamplingSettings {
    let fields = try RecordFields(
      sampling, path: "\(contents.path)/\(RunLayout.configurationFile)", what: "sampling",
      keys: [
        "steps", "guidance", "guidance_rescale", "scheduler", "eta", "negative_prompt", "width",
        "height",
      ], ignoresOthers: true)
    func whole(_ key: String) throws -> Int {
      guard let number = try fields.value(key).integer else {
        throw try fields.fault(key, expected: "a whole number")
      }
      return number
    }
    var settings = SamplingSettings(
      steps: try whole("steps"), guidance: try fields.number("guidance"),
      width: try whole("width"), height: try whole("height"))
    settings.guidanceRescale = try fields.number("guidance_rescale")
    settings.eta = try fields.number("eta")
    settings.negativePrompt = try fields.string("negative_prompt")
    guard let scheduler = SchedulerConfiguration.Kind(rawValue: try fields.string("scheduler"))
    else { throw try fields.fault("scheduler", expected: "the name of a scheduler") }
    settings.scheduler = scheduler
    try settings.check(pixelsPerCell: pixelsPerCell)
    return settings
  }

  private static func checkModel(_ contents: RunContents, _ model: StableDiffusionModel) throws {
    let fingerprint = try ModelFingerprint(model)
    let found = contents.configuration["model"]
    let wanted = JSONValue.object(
      model.adapters.named(in: [.init("files", fingerprint.json)] + fingerprint.settings))
    let rest = JSONValue.object((found?.members ?? []).filter { $0.name != "licence" })
    guard rest.canonicalText == wanted.canonicalText else {
      throw GenerationError(
        .malformed, contents.path,
        "its pictures were made by another model than this one; give the run's own with --model, and its adapters"
      )
    }
  }
}
