public import ArgumentParser
public import Generation

extension ModelAdapters.LoRARequest: ExpressibleByArgument {
  /// Reads FILE or FILE:weight.
  public init(argument: String) { self.init(parsing: argument) }
}

extension ModelAdapters.EmbeddingRequest: ExpressibleByArgument {
  /// Reads FILE or FILE:word.
  public init(argument: String) { self.init(parsing: argument) }
}

/// Words with vectors of their own.
struct EmbeddingOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Textual-inversion embedding (.safetensors, .pt, .bin) for the word that it names, that its file is called, or "
        + "that is given; may be repeated.", valueName: "file[:word]"))
  var embedding: [ModelAdapters.EmbeddingRequest] = []

  func validate() throws { try Self.check(embedding.map(\.path), "--embedding") }

  static func check(_ paths: [String], _ option: String) throws {
    if paths.contains("") { throw ValidationError("\(option): is empty, expected a file") }
    guard paths.count <= ModelAdapters.countLimit else {
      throw ValidationError(
        "\(option): found \(paths.count) files, expected at most \(ModelAdapters.countLimit)")
    }
  }
}

/// What changes a model when it is loaded.
struct AdapterOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "LoRA (.safetensors, keys of kohya or diffusers) to merge into the model, by default with weight 1; may be "
        + "repeated.", valueName: "file[:weight]"))
  var lora: [ModelAdapters.LoRARequest] = []

  @OptionGroup var embeddings: EmbeddingOptions

  func validate() throws {
    try EmbeddingOptions.check(lora.map(\.path), "--lora")
    for request in lora where !Float(request.weight).isFinite {
      throw ValidationError(
        "--lora \(request.path): the weight is \(request.weight), expected a finite number")
    }
  }

  /// The model with the adapters asked for.
  ///
  /// - Throws: `CheckpointError` or ``GenerationError`` where a file is missing, broken or for another model.
  func applied(to model: StableDiffusionModel) throws -> StableDiffusionModel {
    try model.adapted(by: ModelAdapters(loras: lora, embeddings: embeddings.embedding))
  }
}
