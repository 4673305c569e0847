import Checkpoints
import TextConditioning

/// Where a segmenter's file keeps CLIP's text tower.
struct TextTowerPlace: Sendable {
  let source: any WeightSource
  /// What the tower's keys begin with, with the dot.
  let prefix: String
  let activation: CLIPTextConfiguration.Activation

  /// Whether the tower is there: some files hold the image network alone.
  var isThere: Bool { source.record(prefix + "token_embedding.weight") != nil }

  /// What people should know.
  var notices: [String] {
    isThere ? [] : ["no text tower: words cannot be encoded with this file alone"]
  }

  /// Whether a key is one of a tower's tensors.
  func holds(_ key: String) -> Bool {
    guard key.hasPrefix(prefix) else { return false }
    let name = String(key.dropFirst(prefix.count))
    return !CLIPTowerKeys.names(name).isEmpty || name == "text_projection"
  }

  /// Asks for every tensor of the tower, where it is there.
  ///
  /// - Throws: `CheckpointError` where its sizes cannot be told, and as `WeightScope.tensor` does.
  func ask(_ weights: WeightScope) throws {
    if isThere { try CLIPTextTowerShapes(source, prefix: prefix).ask(weights) }
  }

  /// Reads the tower.
  ///
  /// - Parameter featureWidth: D, the length of what texts are compared with.
  /// - Returns: The tower, which gives texts of D values.
  /// - Throws: `CheckpointError` naming the key that is missing or misshapen.
  func tower(featureWidth: Int) throws -> CLIPTextTower {
    let tower = try CLIPTextTower(source, prefix: prefix, activation: activation)
    guard tower.shapes.featureWidth == featureWidth else {
      throw CheckpointError(
        .wrongShape, file: source.name, key: prefix + "text_projection",
        "texts have \(tower.shapes.featureWidth) values and pixels \(featureWidth); they are not of one model"
      )
    }
    return tower
  }
}
