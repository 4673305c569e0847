public import CanonicalJSON
public import Checkpoints
public import TextConditioning

extension ModelFolder: ModelParts {
  /// The folder itself.
  public var companionFolder: String? { path }
  /// None: a folder says all there is to say.
  public var notices: [String] { [] }
  /// None: everything stands in the folder's files.
  public var settings: [JSONValue.Member] { [] }

  /// The configuration file of a part.
  ///
  /// - Throws: `CheckpointError` where it is missing or broken.
  public func configuration(of part: String) throws -> JSONValue { try configuration(part) }

  /// The path of a part's configuration file.
  public func configurationFile(of part: String) -> String {
    file(part, part == "scheduler" ? "scheduler_config.json" : "config.json")
  }

  /// Loads the tokenizer of the folder.
  ///
  /// - Throws: `CheckpointError`.
  public func loadTokenizer() throws -> CLIPTokenizer {
    try CLIPTokenizer(folder: folder("tokenizer"))
  }

  /// What the folder's README.md says.
  ///
  /// - Throws: ``GenerationError`` where it cannot be read.
  public func licence() throws -> String? { try ModelCard.licence(of: path) }

  /// Weights, configurations and the tokenizer's files, by their names below the folder.
  ///
  /// - Throws: `CheckpointError` where there are no weights.
  public func decidingFiles() throws -> [(name: String, path: String)] {
    var paths = try configurationFiles()
    for part in ["text_encoder", "unet", "vae"] {
      paths += try weightFiles(part).map { weights in
        (part + weights.dropFirst(folder(part).count), weights)
      }
    }
    return paths
  }

  /// The files that say what the parts are, without their weights.
  func configurationFiles() throws -> [(name: String, path: String)] {
    let configured = ["text_encoder", "unet", "vae", "scheduler"].map { part in
      let path = configurationFile(of: part)
      return (name: part + path.dropFirst(folder(part).count), path: path)
    }
    let words = FileAccess.names(in: folder("tokenizer")).filter {
      $0.hasSuffix(".json") || $0.hasSuffix(".txt")
    }
    return configured + words.map { ("tokenizer/" + $0, file("tokenizer", $0)) }
  }
}
