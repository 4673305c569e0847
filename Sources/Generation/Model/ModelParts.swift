public import CanonicalJSON
public import Checkpoints
public import TextConditioning

/// Where the parts of a model come from: a folder in the diffusers layout, or a single file.
///
/// Parts go by the names of diffusers' folders: text_encoder, unet, vae, scheduler. Weights have diffusers' keys,
/// whatever the file calls them.
public protocol ModelParts: Sendable {
  /// The folder or file.
  var path: String { get }
  /// The folder with the model's README.md and sampling_defaults.json, where they are there; nil for none.
  var companionFolder: String? { get }
  /// What people should know of how the model was read, a line each.
  var notices: [String] { get }
  /// What decides pictures beside the files, for run.json; empty where there is nothing.
  var settings: [JSONValue.Member] { get }

  /// The configuration of a part, with diffusers' keys.
  ///
  /// - Throws: `CheckpointError` or ``GenerationError`` where it is broken, or is not known and must be said.
  func configuration(of part: String) throws -> JSONValue
  /// The file a part's configuration is from, for messages.
  func configurationFile(of part: String) -> String
  /// Opens the weights of a part.
  ///
  /// - Throws: `CheckpointError` where there are none, or they are damaged.
  func weights(_ part: String) throws -> any WeightSource
  /// Loads the tokenizer.
  ///
  /// - Throws: `CheckpointError` or ``GenerationError`` where it is missing, broken or not the model's.
  func loadTokenizer() throws -> CLIPTokenizer
  /// The licence in one line; nil where nothing says it.
  ///
  /// - Throws: ``GenerationError`` where the card cannot be read.
  func licence() throws -> String?
  /// Every file that can change a picture, by a name that stays when the model is moved.
  ///
  /// - Throws: `CheckpointError` or ``GenerationError`` where one is missing.
  func decidingFiles() throws -> [(name: String, path: String)]
}

/// Opens models.
public enum ModelFile {
  /// Opens a model folder, or a single `.safetensors` or `.ckpt` file.
  ///
  /// - Parameters:
  ///   - path: the folder or file.
  ///   - options: what people say about a single file; a folder says it itself.
  /// - Returns: the parts, of which no weight is read yet.
  /// - Throws: `CheckpointError` or ``GenerationError`` where it is missing, broken, another kind of model, or does
  ///   not go with the options.
  public static func open(
    _ path: String, options: SingleFileOptions = SingleFileOptions()
  ) throws -> any ModelParts {
    if FileAccess.isFile(path) { return try SingleFileModel(path: path, options: options) }
    let folder = try ModelFolder(path: path)
    try options.checkAbsent(at: path)
    return folder
  }
}
