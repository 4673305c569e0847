import CanonicalJSON

/// How many steps, how much guidance and which words suit a model.
public struct SamplingDefaults: Sendable, Equatable {
  /// The file beside model_index.json that may say so: `{"steps": 25, "guidance": 4, "vocabulary": "objectworld48"}`.
  public static let fileName = "sampling_defaults.json"

  /// Denoising steps.
  public var steps = 50
  /// Strength of classifier-free guidance.
  public var guidance = 7.5
  /// The preset that lists the things it was trained to draw, for a model that knows few; nil where nothing is said.
  public var vocabulary: String?

  /// The usual ones, those of diffusers' StableDiffusionPipeline.
  public init() {}

  /// The model's own where it has the file, else the usual ones.
  ///
  /// - Throws: ``GenerationError`` where the file is broken.
  public init(for model: StableDiffusionModel) throws {
    guard let folder = model.parts.companionFolder else { return }
    let file = "\(folder)/\(Self.fileName)"
    guard FileAccess.isFile(file) else { return }
    func fault(_ message: String) -> GenerationError { GenerationError(.malformed, file, message) }
    let json: JSONValue
    do {
      json = try JSONValue.parse(try FileAccess.bytes(of: file, limit: 1 << 16))
    } catch let error as JSONError {
      throw fault("not JSON: \(error)")
    }
    for member in json.members ?? [] {
      switch member.name {
      case "steps":
        guard let value = member.value.integer, SamplingSettings.stepRange ~= value else {
          throw fault(
            "steps: expected a whole number from 1 to \(SamplingSettings.stepRange.upperBound)")
        }
        steps = value
      case "guidance":
        guard let value = member.value.number, SamplingSettings.guidanceRange ~= value else {
          throw fault(
            "guidance: expected a number from 0 to \(SamplingSettings.guidanceRange.upperBound)")
        }
        guidance = value
      case "vocabulary":
        guard let name = member.value.string else { throw fault("vocabulary: expected a name") }
        vocabulary = name
      default:
        throw fault("unknown key \"\(member.name)\"; known are steps, guidance and vocabulary")
      }
    }
  }
}
