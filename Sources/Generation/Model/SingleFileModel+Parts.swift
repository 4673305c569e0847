public import CanonicalJSON
public import Checkpoints
public import TextConditioning

extension SingleFileModel {
  /// The configurations' folder, where there is one.
  public var companionFolder: String? { folder?.path }

  /// What the options and the file's evidence decided.
  public var settings: [JSONValue.Member] {
    [
      .init("prediction", prediction.map { .string($0.configured) } ?? .null),
      .init("ema", .bool(average.isUsed)),
    ]
  }

  /// The configuration of a part: the folder's where there is one, else what keys and shapes tell.
  ///
  /// - Throws: `CheckpointError` where shapes do not make a model; ``GenerationError`` where what the denoiser predicts
  ///   is not known.
  public func configuration(of part: String) throws -> JSONValue {
    if part == "scheduler" { return try schedulerConfiguration() }
    if let folder { return try folder.configuration(part) }
    switch part {
    case "unet": return try shapes.unetConfiguration(sampleSize: sampleSize(try knownPrediction()))
    case "vae": return try shapes.autoencoderConfiguration()
    case "text_encoder": return try shapes.textConfiguration()
    default: preconditionFailure("a Stable Diffusion model has no part \"\(part)\"")
    }
  }

  /// The configuration of a part as far as it is known; null for the scheduler of a model whose prediction is not.
  func knownConfiguration(of part: String) throws -> JSONValue {
    if prediction != nil || folder != nil { return try configuration(of: part) }
    switch part {
    case "scheduler": return .null
    case "unet": return try shapes.unetConfiguration(sampleSize: nil)
    default: return try configuration(of: part)
    }
  }

  /// The file that messages about a configuration name.
  public func configurationFile(of part: String) -> String {
    folder?.configurationFile(of: part) ?? "\(path) (\(part))"
  }

  /// The weights of a part under diffusers' keys.
  public func weights(_ part: String) -> any WeightSource {
    switch part {
    case "unet": shapes.unet
    case "vae": shapes.vae
    case "text_encoder": shapes.textEncoder
    default: preconditionFailure("the part \"\(part)\" has no weights")
    }
  }

  /// The tokenizer that is given, else that of the configurations' folder, else that in `tokenizer/` beside the file.
  ///
  /// The padding is that of the kind: end of text in Stable Diffusion 1, id 0 in 2; a configurations' folder says
  /// its own.
  ///
  /// - Throws: `CheckpointError` where it is broken, ``GenerationError`` where there is none or its vocabulary is
  ///   another size than the model's.
  public func loadTokenizer() throws -> CLIPTokenizer {
    let isConfigured = options.tokenizer == nil && folder != nil
    let padding: CLIPTokenizer.Padding = kind == .first ? .end : .zero
    let tokenizer = try CLIPTokenizer(
      folder: tokenizerFolder(), padding: isConfigured ? nil : padding)
    let table = "text_model.embeddings.token_embedding.weight"
    let rows = shapes.textEncoder.record(table)?.shape.first ?? 0
    guard isConfigured || tokenizer.largestID + 1 == rows else {
      throw GenerationError(
        .malformed, tokenizer.folder,
        "the vocabulary has \(tokenizer.largestID + 1) ids, the model \(path) has \(rows); give the tokenizer the "
          + "model was trained with by --tokenizer")
    }
    return tokenizer
  }

  /// What the file's metadata or the configurations' folder says.
  ///
  /// - Throws: ``GenerationError`` where the folder's card cannot be read.
  public func licence() throws -> String? {
    try evidence.licence ?? folder.flatMap { try $0.licence() }
  }

  /// The file, what the configurations are from, and the tokenizer's files.
  ///
  /// - Throws: ``GenerationError`` where there is no tokenizer.
  public func decidingFiles() throws -> [(name: String, path: String)] {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let configured = try folder?.configurationFiles() ?? []
    let words = try tokenizerFolder()
    let tokenizer = CLIPTokenizer.fileNames
      .map { (name: "tokenizer/" + $0, path: words + "/" + $0) }
      .filter { FileAccess.isFile($0.path) }
    return [(name, path)] + configured.filter { !$0.name.hasPrefix("tokenizer/") } + tokenizer
  }

  private func tokenizerFolder() throws -> String {
    func holds(_ folder: String) -> Bool { FileAccess.isFile(folder + "/vocab.json") }
    if let given = options.tokenizer {
      guard FileAccess.isFolder(given) else {
        throw GenerationError(
          .missingInput, given,
          "there is no such folder; expected one with vocab.json and merges.txt")
      }
      let inner = given + "/tokenizer"
      return !holds(given) && holds(inner) ? inner : given
    }
    if let folder { return folder.folder("tokenizer") }
    let beside = FileAccess.folder(of: path) + "/tokenizer"
    guard FileAccess.isFolder(beside) else {
      throw GenerationError(
        .missingInput, path,
        "a single file holds no tokenizer; give --tokenizer, a folder with vocab.json and merges.txt of "
          + "openai/clip-vit-large-patch14 (every Stable Diffusion 1 and 2 has them in its folder tokenizer), or put "
          + "them into \(beside)")
    }
    return beside
  }

  private func knownPrediction() throws -> SingleFileOptions.Prediction {
    if let prediction { return prediction }
    throw GenerationError(
      .usage, "--prediction",
      "\(path) is a Stable Diffusion 2 that does not say what it predicts; give epsilon for a base model (512 pixels) "
        + "or v-prediction for one at 768")
  }

  /// The usual side of latents.
  private func sampleSize(_ prediction: SingleFileOptions.Prediction) throws -> Int {
    let levels = try shapes.autoencoderConfiguration()["block_out_channels"]?.elements?.count ?? 1
    if let side = evidence.side { return max(1, side >> (levels - 1)) }
    return kind == .second && prediction == .velocity ? 96 : 64
  }

  /// The folder's scheduler, or DDIM over Stable Diffusion's noise; with the prediction that counts.
  private func schedulerConfiguration() throws -> JSONValue {
    let prediction = JSONValue.string(try knownPrediction().configured)
    if let folder {
      let members = try folder.configuration("scheduler").members ?? []
      return .object(
        members.filter { $0.name != "prediction_type" } + [.init("prediction_type", prediction)])
    }
    let zeroSNR: [JSONValue.Member] =
      evidence.hasZeroSNR
      ? [.init("rescale_betas_zero_snr", true), .init("timestep_spacing", "trailing")] : []
    return .object(
      [
        .init("_class_name", "DDIMScheduler"), .init("num_train_timesteps", 1000),
        .init("beta_start", 0.00085), .init("beta_end", 0.012),
        .init("beta_schedule", "scaled_linear"), .init("clip_sample", false),
        .init("set_alpha_to_one", false), .init("steps_offset", 1),
        .init("prediction_type", prediction),
      ] + zeroSNR)
  }
}
