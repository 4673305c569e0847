import Checkpoints
public import TensorCore

/// Maps of a U-Net and embeddings of entities, kept in a safetensors file.
///
/// Keys: `feature.LEVEL.i.cond` and `feature.LEVEL.i.uncond` [1, c, h, w], i the level's blocks in call order, LEVEL
/// `level0` for the latents' own size, `level1` for half of it and so on (for four levels also `highest`, `high`,
/// `mid`, `low`); `entities` [1, n, d].
public struct GroundingFeatureFile: Sendable {
  /// The most entities that are grounded at once: as many as a mask has ids for.
  public static let entityLimit = 65_534

  private let source: SafetensorsFile
  private let scope: WeightScope

  /// Opens the file.
  ///
  /// - Throws: `CheckpointError` where it is not safetensors.
  public init(path: String) throws {
    source = try SafetensorsFile(path: path)
    scope = WeightScope(source)
  }

  /// Reads and projects all maps, one after the other.
  ///
  /// - Throws: `CheckpointError` naming the key of a map that is missing, left over or does not fit the module.
  public func features(for module: GroundingModule) throws -> ProjectedFeatures {
    let configuration = module.configuration
    let names =
      configuration.levels.count == 4 && scope.contains("feature.highest.0.cond")
      ? GroundingNames.publishedLevels : configuration.levels.indices.map { "level\($0)" }
    var features = module.emptyFeatures
    for (level, name) in names.enumerated() {
      var size: [Int]?
      for (index, channels) in configuration.levels[level].channels.enumerated() {
        let key = "feature.\(name).\(index)"
        let conditional = try map("\(key).cond", channels, &size)
        let unconditional =
          configuration.readsUnconditional ? try map("\(key).uncond", channels, &size) : nil
        scope.ignore("\(key).uncond")
        module.add(
          conditional: conditional, unconditional: unconditional, level: level, to: &features)
      }
    }
    if let left = scope.unusedKeys.first(where: { $0.hasPrefix("feature.") }) {
      throw CheckpointError(
        .unusedTensors, file: scope.file, key: left,
        "the grounding module does not read this map; it was made for a U-Net with other blocks")
    }
    return features
  }

  /// The entities' embeddings [1, n, D].
  ///
  /// - Throws: `CheckpointError` where there are none, too many, or they are of another width.
  public func entities(for module: GroundingModule) throws -> Tensor {
    let width = module.configuration.textWidth
    let found = scope.shape("entities")
    guard let found else { throw fault("entities", "the tensor is missing, expected [1, n, \(width)]") }
    guard found.count == 3, found[0] == 1, 1...Self.entityLimit ~= found[1], found[2] == width
    else {
      throw fault(
        "entities",
        "found shape \(found), expected [1, n, \(width)] with n from 1 to \(Self.entityLimit)")
    }
    return try scope.tensor("entities", found)
  }

  /// A map as [1, h, w, C]; all of one level have one size.
  private func map(_ key: String, _ channels: Int, _ size: inout [Int]?) throws -> Tensor {
    guard let shape = scope.shape(key) else {
      throw CheckpointError(
        .missingTensor, file: scope.file, key: key,
        "the map is missing; expected shape [1, \(channels), \(Self.text(size))]")
    }
    guard shape.count == 4, shape[0] == 1, shape[1] == channels, shape[2] > 0, shape[3] > 0,
      size == nil || Array(shape[2...]) == size
    else {
      throw fault(
        key,
        "found shape \(shape), expected [1, \(channels), \(Self.text(size))]; the module was made for a U-Net "
          + "with other channels, or the map is of another level")
    }
    size = Array(shape[2...])
    return try scope.tensor(key, shape).channelsLast()
  }

  private static func text(_ size: [Int]?) -> String {
    size.map { "\($0[0]), \($0[1])" } ?? "h, w"
  }

  private func fault(_ key: String, _ message: String) -> CheckpointError {
    CheckpointError(.wrongShape, file: scope.file, key: key, message)
  }
}
