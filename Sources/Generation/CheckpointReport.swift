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
  /// What the denoiser predicts, as diffusers calls it; nil where nothing says it, or there is none.
  public private(set) var prediction: String?
  /// What a single file holds beside its parts; nil for all else.
  public private(set) var singleFile: SingleFile?

  /// What stands in a single file beside the parts of the model.
  public struct SingleFile: Sendable {
    /// The number of averaged tensors (EMA).
    public let averaged: Int
    /// Whether they were looked at in place of the denoiser's own.
    public let usesAverage: Bool
    /// Known tensors and entries that are not needed.
    public let skipped: [String]
    /// Tensors of no part.
    public let unexpected: [WeightReport.Finding]
    /// Classes and functions that skipped entries name; none of them was looked up or called.
    public let classes: [String]
    /// What people should know.
    public let notices: [String]
  }

  /// Whether everything fits.
  public var fits: Bool {
    parts.allSatisfy { $0.audit?.fits ?? true } && singleFile?.unexpected.isEmpty ?? true
  }

  /// Looks at a model folder, a component's folder or a single file.
  ///
  /// - Throws: `CheckpointError`, `DiffusionError` or ``GenerationError`` where it is broken or unknown.
  public init(path: String, options: SingleFileOptions = SingleFileOptions()) throws {
    if FileAccess.isFile(path + "/model_index.json")
      || !FileAccess.isFolder(path) && !FileAccess.isFile(path)
    {
      let model = try StableDiffusionModel(path: path, options: options)
      // The tokenizer has no tensors; that it can be read is part of the answer.
      _ = try model.tokenizer()
      let prediction = try model.prediction().rawValue
      kind = Self.kind(isFirst: model.unetConfiguration.textWidth < 1024, prediction)
      parts = try Self.names.map { name in
        try Self.part(
          name, source: try model.parts.weights(name),
          configuration: try model.parts.configuration(of: name),
          file: model.parts.configurationFile(of: name))
      }
      self.prediction = prediction
      return
    }
    let (source, folder) = try Self.single(path)
    let other = OtherCheckpoint.name(of: source)
    if other == nil, SingleFileContents.isWholeModel(source) {
      self = try Self(try SingleFileModel(path: path, options: options))
      return
    }
    try options.checkAbsent(at: path)
    guard let name = Self.component(source) else {
      kind = other ?? "tensors"
      parts = [try Self.part("tensors", source: source, configuration: .null, file: path)]
      return
    }
    kind = name
    let file = folder + "/config.json"
    let configuration = FileAccess.isFile(file) ? try Self.json(file) : .null
    parts = [try Self.part(name, source: source, configuration: configuration, file: file)]
  }

  /// The parts with weights.
  private static let names = ["text_encoder", "unet", "vae"]

  private init(_ model: SingleFileModel) throws {
    kind = Self.kind(isFirst: model.kind == .first, model.prediction?.configured)
    prediction = model.prediction?.configured
    var notices = model.notices
    parts = try Self.names.map { name in
      var configuration = JSONValue.null
      do {
        configuration = try model.knownConfiguration(of: name)
      } catch let error as GenerationError where error.code == .usage {
        // Sizes that do not tell what they usually do: the tensors can be listed all the same.
        notices.append("\(error)")
      }
      return try Self.part(
        name, source: model.weights(name), configuration: configuration,
        file: model.configurationFile(of: name))
    }
    singleFile = SingleFile(
      averaged: model.average.count, usesAverage: model.average.isUsed, skipped: model.skipped,
      unexpected: model.unexpected, classes: model.skippedClasses, notices: notices)
  }

  private static func kind(isFirst: Bool, _ prediction: String?) -> String {
    if isFirst { return "stable-diffusion-1" }
    switch prediction {
    case "epsilon": return "stable-diffusion-2-base"
    case "v_prediction": return "stable-diffusion-2-v"
    default: return "stable-diffusion-2"
    }
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
      let isIndex = path.hasSuffix(".json")
      return (
        isIndex ? try ShardedCheckpoint(indexPath: path) : try WeightFile.open(path),
        FileAccess.folder(of: path)
      )
    }
    let names = FileAccess.names(in: path)
    let index = names.first { $0.hasSuffix(".safetensors.index.json") }
    if let index { return (try ShardedCheckpoint(indexPath: "\(path)/\(index)"), path) }
    let endings = [".safetensors", "model.bin"]
    guard
      let file = endings.lazy.compactMap({ end in names.first { $0.hasSuffix(end) } }).first
    else {
      throw GenerationError(
        .missingInput, path,
        "is neither a model folder (model_index.json) nor one with safetensors weights")
    }
    return (try WeightFile.open("\(path)/\(file)"), path)
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
