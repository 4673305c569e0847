public import CanonicalJSON
public import Checkpoints
import LatentDiffusion
public import TensorCore
import TextConditioning

/// What a checkpoint is, and whether its tensors are those its configuration asks for.
public struct CheckpointReport: Sendable {
  /// A part of a model.
  public struct Part: Sendable {
    /// Its name: unet, vae, text_encoder.
    public let name: String
    /// Its configuration; null where the checkpoint has none.
    public let configuration: JSONValue
    /// How many numbers it computes with.
    public let parameters: Int
    /// How many tensors are stored in each type.
    public let types: [ElementType: Int]
    /// What does not fit; nil where there is no configuration to fit.
    public let audit: WeightReport?
  }

  /// What it is, such as "stable-diffusion-1".
  public let kind: String
  /// Its parts.
  public let parts: [Part]

  /// Whether everything fits.
  public var fits: Bool { parts.allSatisfy { $0.audit?.fits ?? true } }

  /// Looks at a model folder, a component's folder or a single safetensors file.
  ///
  /// - Throws: `CheckpointError`, `DiffusionError` or ``GenerationError`` where it is broken or unknown.
  public init(path: String) throws {
    if FileAccess.isFile(path + "/model_index.json")
      || !FileAccess.isFolder(path) && !FileAccess.isFile(path)
    {
      let model = try StableDiffusionModel(path: path)
      // The tokenizer has no tensors; that it can be read is part of the answer.
      _ = try model.tokenizer()
      kind = model.unetConfiguration.textWidth >= 1024 ? "stable-diffusion-2" : "stable-diffusion-1"
      parts = try ["text_encoder", "unet", "vae"].map { name in
        try Self.part(
          name, source: try model.folder.weights(name),
          configuration: try model.folder.configuration(name),
          file: model.folder.file(name, "config.json"))
      }
      return
    }
    let (source, folder) = try Self.single(path)
    guard let name = Self.component(source) else {
      kind = "tensors"
      parts = [try Self.part("tensors", source: source, configuration: .null, file: path)]
      return
    }
    kind = name
    let file = folder + "/config.json"
    let configuration = FileAccess.isFile(file) ? try Self.json(file) : .null
    parts = [try Self.part(name, source: source, configuration: configuration, file: file)]
  }

  private static func part(
    _ name: String, source: any WeightSource, configuration: JSONValue, file: String
  ) throws -> Part {
    var report: WeightReport?
    if !configuration.isNull {
      let audit = WeightAudit(source)
      switch name {
      case "unet": _ = try UNet(audit.scope, UNetConfiguration(configuration, file: file))
      case "vae":
        _ = try Autoencoder(audit.scope, AutoencoderConfiguration(configuration, file: file))
      default:
        _ = try CLIPTextEncoder(
          audit.scope, configuration: CLIPTextConfiguration(configuration, file: file))
      }
      report = audit.report
    }
    return Part(
      name: name, configuration: configuration, parameters: source.parameterCount,
      types: source.typeCounts, audit: report)
  }

  /// The tensors of one file or one component's folder, and the folder its configuration would be in.
  private static func single(_ path: String) throws -> (any WeightSource, folder: String) {
    guard FileAccess.isFolder(path) else {
      let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        .joined(separator: "/")
      let isIndex = path.hasSuffix(".json")
      return (
        isIndex ? try ShardedCheckpoint(indexPath: path) : try SafetensorsFile(path: path),
        folder.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : folder
      )
    }
    let names = FileAccess.names(in: path)
    let index = names.first { $0.hasSuffix(".safetensors.index.json") }
    if let index { return (try ShardedCheckpoint(indexPath: "\(path)/\(index)"), path) }
    guard let file = names.first(where: { $0.hasSuffix(".safetensors") }) else {
      throw GenerationError(
        .missingInput, path,
        "is neither a model folder (model_index.json) nor one with safetensors weights")
    }
    return (try SafetensorsFile(path: "\(path)/\(file)"), path)
  }

  /// The component whose keys these are.
  private static func component(_ source: any WeightSource) -> String? {
    if source.record("time_embedding.linear_1.weight") != nil { return "unet" }
    if source.record("decoder.conv_in.weight") != nil { return "vae" }
    let table = "embeddings.token_embedding.weight"
    let isText = source.record("text_model." + table) != nil || source.record(table) != nil
    return isText ? "text_encoder" : nil
  }

  private static func json(_ file: String) throws -> JSONValue {
    do {
      return try JSONValue.parse(try FileAccess.bytes(of: file, limit: 1 << 20))
    } catch let error as JSONError {
      throw GenerationError(.malformed, file, "not JSON: \(error)")
    }
  }
}
