public import CanonicalJSON
import Checkpoints
import DatasetFormat

/// The SHA-256 of every file of a model that can change a picture.
public struct ModelFingerprint: Sendable, Equatable {
  /// A file's name below the model folder and its digest, sorted by name.
  public let files: [(name: String, sha256: String)]

  /// Whether two models have the same files.
  public static func == (a: ModelFingerprint, b: ModelFingerprint) -> Bool {
    a.files.elementsEqual(b.files) { $0 == $1 }
  }

  /// Reads all files of a model.
  ///
  /// - Throws: `CheckpointError` or ``GenerationError`` where one is missing or unreadable.
  public init(_ model: StableDiffusionModel) throws {
    let folder = model.folder
    var paths = Set<String>()
    for component in ["text_encoder", "unet", "vae"] {
      paths.insert(folder.file(component, "config.json"))
      paths.formUnion(try folder.weightFiles(component))
    }
    paths.insert(folder.file("scheduler", "scheduler_config.json"))
    for name in FileAccess.names(in: folder.folder("tokenizer"))
    where name.hasSuffix(".json") || name.hasSuffix(".txt") {
      paths.insert(folder.file("tokenizer", name))
    }
    let prefix = folder.path.hasSuffix("/") ? folder.path : folder.path + "/"
    files = try paths.sorted().map { path in
      let name = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
      return (name, try FileDigest.sha256(of: path))
    }
  }

  /// The digest of the whole list.
  public var sha256: String {
    ContentHash.sha256(files.map { "\($0.sha256)  \($0.name)\n" }.joined().utf8)
  }

  /// The list as an object for run.json.
  public var json: JSONValue {
    .object(files.map { JSONValue.Member($0.name, .string($0.sha256)) })
  }
}
