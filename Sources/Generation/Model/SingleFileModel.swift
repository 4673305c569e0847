import CanonicalJSON
public import Checkpoints
import LatentDiffusion

/// A whole Stable Diffusion 1 or 2 in one file of the original layout, `.safetensors` or `.ckpt`.
///
/// Keys and shapes tell what kind it is. A file says nothing of the tokenizer and little of what the denoiser predicts:
/// those come from ``SingleFileOptions``, from a diffusers folder that the file lies in, or for the prediction from
/// evidence in the file, which is then told in ``notices``.
public struct SingleFileModel: ModelParts {
  /// The kinds that are read.
  public enum Kind: Sendable {
    /// Stable Diffusion 1: CLIP, convolutional projections.
    case first
    /// Stable Diffusion 2: OpenCLIP, linear projections.
    case second
  }

  /// The file.
  public let path: String
  /// What kind it is.
  public let kind: Kind
  /// What the denoiser predicts; nil where nothing tells.
  public let prediction: SingleFileOptions.Prediction?
  /// The number of averaged tensors (EMA), and whether they are used.
  public let average: (count: Int, isUsed: Bool)
  /// What is known and not needed: keys of tensors, and entries beside them, sorted.
  public let skipped: [String]
  /// Classes and functions that skipped entries name; none of them was looked up or called.
  public let skippedClasses: [String]
  /// Tensors that belong to no part.
  public let unexpected: [WeightReport.Finding]
  /// What people should know of how the model was read, a line each.
  public let notices: [String]

  let shapes: SingleFileShapes
  let evidence: SingleFileEvidence
  let options: SingleFileOptions
  /// The diffusers folder whose configurations count.
  let folder: ModelFolder?

  /// Opens a file and finds out what it is.
  ///
  /// - Throws: `CheckpointError` where it is broken, no model, another kind of model or lacks a part;
  ///   ``GenerationError`` where it does not go with the options.
  public init(path: String, options: SingleFileOptions = SingleFileOptions()) throws {
    let source = try WeightFile.open(path)
    if let name = OtherCheckpoint.name(of: source) {
      throw CheckpointError(
        .unsupported, file: path, "is \(name); expected a whole Stable Diffusion 1 or 2")
    }
    let (folder, isNeighbour) = try Self.configurations(of: path, options)
    let layers = try folder?.configuration("text_encoder")["num_hidden_layers"]?.integer
    let contents = SingleFileContents(source, textLayers: layers)
    let tower = try Self.checkWhole(contents, path)
    let usesAverage = try Self.usesAverage(contents, options, path)
    shapes = SingleFileShapes(
      unet: RenamedWeights(
        source, part: "unet", places: usesAverage ? contents.average : contents.unet),
      vae: RenamedWeights(source, part: "vae", places: contents.vae),
      textEncoder: RenamedWeights(source, part: "text_encoder", places: contents.textEncoder),
      tower: tower)
    kind = try Self.kind(shapes, path)
    evidence = SingleFileEvidence(source)
    prediction = try Self.prediction(options, evidence, folder, isNeighbour, kind)
    average = (contents.average.count, usesAverage)
    let pickle = source as? PickleFile
    skipped = (contents.skipped + (pickle?.passedOver ?? [])).sorted()
    skippedClasses = pickle?.passedOverClasses ?? []
    unexpected = contents.unexpected.map {
      WeightReport.Finding(key: $0, expected: nil, found: source.record($0))
    }
    self.path = path
    self.options = options
    self.folder = folder
    notices = try Self.notices(
      path: path, shapes: shapes, folder: folder, isNeighbour: isNeighbour, evidence: evidence,
      options: options, kind: kind, contents: contents)
  }

  /// The diffusers folder of the configurations: the one that is given, else the one the file lies in.
  private static func configurations(
    of path: String, _ options: SingleFileOptions
  ) throws -> (folder: ModelFolder?, isNeighbour: Bool) {
    if let given = options.configuration { return (try ModelFolder(path: given), false) }
    let folder = FileAccess.folder(of: path)
    guard FileAccess.isFile(folder + "/model_index.json") else { return (nil, false) }
    return (try ModelFolder(path: folder), true)
  }

  private static func checkWhole(
    _ contents: SingleFileContents, _ path: String
  ) throws -> OriginalTextKeys.Tower {
    let hasDenoiser = !contents.unet.isEmpty || !contents.average.isEmpty
    guard hasDenoiser || !contents.vae.isEmpty || contents.tower != nil else {
      throw CheckpointError(
        .unsupported, file: path,
        "holds none of the parts of a Stable Diffusion checkpoint (model.diffusion_model, first_stage_model, "
          + "cond_stage_model); triptych checkpoint lists what it is")
    }
    for (isThere, part) in [
      (hasDenoiser, "denoiser (model.diffusion_model.…)"),
      (!contents.vae.isEmpty, "autoencoder (first_stage_model.…)"),
      (contents.tower != nil, "text encoder (cond_stage_model.…)"),
    ] where !isThere {
      throw CheckpointError(
        .missingTensor, file: path, "has no \(part); expected a whole Stable Diffusion checkpoint")
    }
    return contents.tower ?? .clip
  }

  private static func usesAverage(
    _ contents: SingleFileContents, _ options: SingleFileOptions, _ path: String
  ) throws -> Bool {
    if options.usesAverage, contents.average.isEmpty {
      throw GenerationError(
        .usage, "--ema", "\(path) has no averaged weights (model_ema.…); leave the option out")
    }
    return options.usesAverage || contents.unet.isEmpty
  }

  private static func kind(_ shapes: SingleFileShapes, _ path: String) throws -> Kind {
    switch (shapes.tower, try shapes.hasLinearProjections()) {
    case (.clip, false): return .first
    case (.openCLIP, true): return .second
    case (let tower, let isLinear):
      throw CheckpointError(
        .unsupported, file: path,
        "has \(tower == .clip ? "CLIP's" : "OpenCLIP's") text encoder with "
          + "\(isLinear ? "linear" : "convolutional") projections in the denoiser, which is neither Stable Diffusion 1 nor 2"
      )
    }
  }

  /// What the denoiser predicts: as people say, as their configurations say, as the file says, as a folder says that it
  /// only lies in, as Stable Diffusion 1 does.
  private static func prediction(
    _ options: SingleFileOptions, _ evidence: SingleFileEvidence, _ folder: ModelFolder?,
    _ isNeighbour: Bool, _ kind: Kind
  ) throws -> SingleFileOptions.Prediction? {
    if let given = options.prediction { return given }
    if isNeighbour || folder == nil, let found = evidence.prediction { return found.value }
    if let folder {
      let file = folder.configurationFile(of: "scheduler")
      let said = try SchedulerConfiguration(folder.configuration("scheduler"), file: file)
      switch said.prediction {
      case .noise: return .noise
      case .velocity: return .velocity
      case .sample:
        throw CheckpointError(
          .unsupported, file: file, key: "prediction_type",
          "found sample, expected epsilon or v_prediction")
      }
    }
    return kind == .first ? .noise : nil
  }
}

extension SingleFileModel {
  private static func notices(
    path: String, shapes: SingleFileShapes, folder: ModelFolder?, isNeighbour: Bool,
    evidence: SingleFileEvidence, options: SingleFileOptions, kind: Kind,
    contents: SingleFileContents
  ) throws -> [String] {
    var notices: [String] = []
    if let folder {
      if isNeighbour {
        notices.append(
          "\(path): configurations, scheduler and tokenizer are those of the diffusers folder it lies in, "
            + folder.path)
      }
    } else if try !shapes.isPublished() {
      let heads = kind == .first ? "8 attention heads a level" : "attention heads 64 wide"
      let isCut = kind == .second && !contents.readsEveryTextLayer
      notices.append(
        "\(path): its sizes are of no published model; assumed are \(heads), groups of 32, text heads 64 wide"
          + "\(isCut ? " and a last text layer that is not read" : ""); --model-config says otherwise"
      )
    }
    if options.prediction == nil, isNeighbour || folder == nil, let found = evidence.prediction {
      notices.append("\(path): \(found.source) says that it predicts \(found.value.rawValue)")
    }
    if contents.unet.isEmpty {
      notices.append("\(path): has only averaged weights (EMA) of the denoiser, which are used")
    }
    if let first = contents.unexpected.first {
      let more = contents.unexpected.count - 1
      notices.append(
        "\(path): \(JSONError.excerpt(of: first))\(more > 0 ? " and \(more) more" : "") belong to no part and are not "
          + "used; triptych checkpoint lists them")
    }
    return notices
  }
}
