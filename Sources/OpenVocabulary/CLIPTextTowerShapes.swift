public import Checkpoints
import TextConditioning

/// The sizes of a CLIP text tower, as the shapes in its file tell them, and every tensor that it needs.
///
/// - Weights: `token_embedding.weight` [V, W], `positional_embedding` [P, W], `transformer.resblocks.i.{ln_1, attn, ln_2,
///   mlp}`, `ln_final`, `text_projection` [W, D]. Its authors give every head 64 values.
public struct CLIPTextTowerShapes: Sendable, Equatable {
  private static let headWidth = 64
  private static let mostWidth = 16_384

  /// What the tower's keys begin with, with the dot.
  public let prefix: String
  /// W, the width of a token.
  public let width: Int
  /// The width between a layer's two linear maps.
  public let innerWidth: Int
  /// The number of layers.
  public let layerCount: Int
  /// V, the rows of the token table.
  public let vocabularySize: Int
  /// P, the most tokens in a sentence.
  public let positionCount: Int
  /// D, the length of a feature.
  public let featureWidth: Int

  /// The number of attention heads.
  public var headCount: Int { width / Self.headWidth }

  /// Tells the sizes.
  ///
  /// - Throws: `CheckpointError` where a tensor that tells a size is absent or has no such size.
  public init(_ source: any WeightSource, prefix: String) throws {
    let shape = StoredShapes(source: source, prefix: prefix)
    self.prefix = prefix
    let table = "token_embedding.weight"
    let tokens = try shape(table, axes: 2, limit: 4_194_304)
    (vocabularySize, width) = (tokens[0], tokens[1])
    guard width <= Self.mostWidth, width.isMultiple(of: Self.headWidth) else {
      throw CheckpointError(
        .wrongShape, file: source.name, key: prefix + table,
        "found tokens of width \(width), expected a multiple of \(Self.headWidth), a head's width, "
          + "up to \(Self.mostWidth)")
    }
    positionCount = try shape("positional_embedding", axes: 2)[0]
    featureWidth = try shape("text_projection", axes: 2)[1]
    innerWidth = try shape("transformer.resblocks.0.mlp.c_fc.weight", axes: 2)[0]
    // A layer that is not there leaves a gap, which is named when its tensors are asked for.
    layerCount = try shape.count("transformer.resblocks.")
  }

  /// Asks for every tensor of the tower.
  ///
  /// - Parameter weights: the root of the file's checkpoint, such as that of a `WeightAudit`.
  /// - Throws: `CheckpointError` as `WeightScope.tensor` does.
  public func ask(_ weights: WeightScope) throws {
    for (key, shape) in all { _ = try weights.tensor(key, shape) }
  }

  /// Refuses a file that lacks a tensor of the tower, or has one of another shape.
  ///
  /// - Throws: `CheckpointError` with the file's key.
  func check(_ source: any WeightSource) throws {
    for (key, shape) in all {
      let found = source.record(key)?.shape
      guard found != shape else { continue }
      throw CheckpointError(
        found == nil ? .missingTensor : .wrongShape, file: source.name, key: key,
        "found \(found.map { "shape \($0)" } ?? "no such tensor"), expected shape \(shape)")
    }
  }

  /// The tower's tensors under the names of ``CLIPTextEncoder``.
  func renamed(_ source: any WeightSource) -> RenamedWeights {
    var places: [String: RenamedWeights.Place] = [:]
    for (key, _) in all {
      for (name, change) in CLIPTowerKeys.names(String(key.dropFirst(prefix.count))) {
        places[name] = RenamedWeights.Place(key: key, change: change)
      }
    }
    return RenamedWeights(source, part: "text tower", places: places)
  }

  /// Every key of the tower with its shape.
  private var all: [(key: String, shape: [Int])] {
    var all = [
      ("token_embedding.weight", [vocabularySize, width]),
      ("positional_embedding", [positionCount, width]), ("ln_final.weight", [width]),
      ("ln_final.bias", [width]), ("text_projection", [width, featureWidth]),
    ]
    for layer in 0..<layerCount {
      all += [
        ("ln_1.weight", [width]), ("ln_1.bias", [width]),
        ("attn.in_proj_weight", [3 * width, width]), ("attn.in_proj_bias", [3 * width]),
        ("attn.out_proj.weight", [width, width]), ("attn.out_proj.bias", [width]),
        ("ln_2.weight", [width]), ("ln_2.bias", [width]),
        ("mlp.c_fc.weight", [innerWidth, width]), ("mlp.c_fc.bias", [innerWidth]),
        ("mlp.c_proj.weight", [width, innerWidth]), ("mlp.c_proj.bias", [width]),
      ].map { ("transformer.resblocks.\(layer).\($0.0)", $0.1) }
    }
    return all.map { (prefix + $0.0, $0.1) }
  }
}
