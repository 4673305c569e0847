import Checkpoints
import DatasetFormat
import Foundation
import TensorCore

/// Features of labels that were computed before, in a folder: a safetensors file a label, named by a hash of all that
/// decides them.
public struct TextFeatureCache: Sendable {
  private static let key = "features"
  private static let digest = "sha256"

  /// The folder; it is made with the first entry.
  public let folder: String

  /// Takes a folder, whether it is there or not.
  public init(folder: String) { self.folder = folder }

  /// The features under a hash; nil where there are none, or the file is damaged, which is then made anew.
  ///
  /// - Parameters:
  ///   - hash: of what decides the features.
  ///   - shape: what the features must have.
  func features(_ hash: String, shape: [Int]) -> Tensor? {
    do {
      let file = try SafetensorsFile(path: path(hash))
      guard file.record(Self.key)?.shape == shape else { return nil }
      let features = try file.tensor(Self.key)
      return file.metadata[Self.digest] == Self.digest(of: features) ? features : nil
    } catch {
      // A cache that cannot be read costs time, no result.
      return nil
    }
  }

  /// Keeps features; what is under the hash is replaced at once.
  ///
  /// - Throws: `CheckpointError` where the file cannot be written.
  func keep(_ features: Tensor, _ hash: String) throws {
    let path = path(hash)
    do {
      try FileManager.default.createDirectory(
        atPath: String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)),
        withIntermediateDirectories: true)
    } catch {
      throw CheckpointError(
        .unwritable, file: folder, "the folder cannot be made: \(error.localizedDescription)")
    }
    var writer = SafetensorsWriter(metadata: [Self.digest: Self.digest(of: features)])
    writer.add(Self.key, features)
    try writer.write(to: path)
  }

  private func path(_ hash: String) -> String {
    "\(folder)/\(hash.prefix(2))/\(hash).safetensors"
  }

  private static func digest(of features: Tensor) -> String {
    features.withUnsafeBuffer { ContentHash.sha256(UnsafeRawBufferPointer($0)) }
  }
}
