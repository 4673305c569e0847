public import CanonicalJSON
import DatasetFormat

/// The SHA-256 of every file of a model that can change a picture.
public struct ModelFingerprint: Sendable, Equatable {
  /// A file's name, as it stays when the model is moved, and its digest, sorted by name.
  public let files: [(name: String, sha256: String)]
  /// What decides pictures beside the files; empty for a folder.
  public let settings: [JSONValue.Member]

  /// Whether two models have the same files and settings.
  public static func == (a: ModelFingerprint, b: ModelFingerprint) -> Bool {
    a.files.elementsEqual(b.files) { $0 == $1 } && a.settings == b.settings
  }

  /// Reads all files of a model.
  ///
  /// - Throws: `CheckpointError` or ``GenerationError`` where one is missing or unreadable.
  public init(_ model: StableDiffusionModel) throws {
    files = try model.parts.decidingFiles().sorted { $0.name < $1.name }.map { file in
      (file.name, try FileDigest.sha256(of: file.path))
    }
    settings = model.parts.settings
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
