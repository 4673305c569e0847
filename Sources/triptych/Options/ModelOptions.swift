import ArgumentParser
import DefaultModel
import Generation
import TextConditioning

/// Which model to use.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Model: a folder in the diffusers layout, or a single .safetensors or .ckpt file; the embedded model if not said.",
      valueName: "path"))
  var model: String?

  @OptionGroup var singleFile: SingleFileFlags

  /// The model's folder or file.
  ///
  /// - Throws: ``GenerationError`` where the embedded model is not beside the executable.
  func path() throws -> String { try model ?? Self.embeddedFolder() }

  /// Opens the model and says on stderr what people should know of it.
  ///
  /// - Throws: `CheckpointError`, `DiffusionError` or ``GenerationError``.
  func load() throws -> StableDiffusionModel {
    let model = try StableDiffusionModel(path: path(), options: singleFile.options)
    for notice in model.parts.notices { Console.note("triptych: \(Console.oneLine(notice))") }
    return model
  }

  /// The model's tokenizer, without the rest of a folder.
  ///
  /// - Throws: `CheckpointError` or ``GenerationError``.
  func tokenizer() throws -> CLIPTokenizer {
    let path = try path()
    guard ResourceFolder.isFolder(path) else {
      return try ModelFile.open(path, options: singleFile.options).loadTokenizer()
    }
    try singleFile.options.checkAbsent(at: path)
    return try CLIPTokenizer(folder: path + "/tokenizer")
  }

  /// The folder of the embedded model.
  ///
  /// - Throws: ``GenerationError`` where it is not beside the executable.
  static func embeddedFolder() throws -> String {
    try ResourceFolder.bundle(target: DefaultModel.target) + "/" + DefaultModel.folder
  }

  /// The weights of the grounding module that comes with the embedded model; nil for other models.
  ///
  /// - Throws: ``GenerationError`` where the embedded model is not beside the executable.
  func embeddedGrounding() throws -> String? {
    guard model == nil else { return nil }
    let file = try Self.embeddedFolder() + "/" + DefaultModel.grounding
    return ResourceFolder.isFile(file) ? file : nil
  }
}
