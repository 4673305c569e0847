import CanonicalJSON
public import TensorCore

/// Several safetensors files and the index that says which key is in which, as one source.
///
/// - Source: `*.safetensors.index.json` as `transformers` and `diffusers` write it.
public final class ShardedCheckpoint: WeightSource {
  /// The path of the index.
  public let name: String
  /// Every key of every shard, sorted.
  public let keys: [String]
  /// The paths of index and shards, the shards sorted by name.
  public let files: [String]

  private let shards: [String: SafetensorsFile]
  private let shardNames: [String: String]

  /// The longest index that is read; the largest published ones have some hundred kilobytes.
  static let indexByteLimit = 16 << 20
  /// The most shards, each of which takes an open file.
  static let shardLimit = 512

  /// Opens an index and all its shards, and checks that both list the same keys.
  ///
  /// - Throws: ``CheckpointError`` naming the key or shard that does not fit.
  public init(indexPath: String) throws {
    let map = try Self.weightMap(indexPath)
    let folder = splitPath(indexPath).folder
    let names = Set(map.values).sorted()
    guard names.count <= Self.shardLimit else {
      throw CheckpointError(
        .malformed, file: indexPath,
        "the index names \(names.count) shards, at most \(Self.shardLimit) are accepted")
    }
    var shards: [String: SafetensorsFile] = [:]
    for shardName in names {
      let shard = try Self.openShard(joinedPath(folder, shardName), index: indexPath)
      try Self.checkKeys(of: shard, named: shardName, in: map, index: indexPath)
      shards[shardName] = shard
    }
    keys = map.keys.sorted()
    for key in keys {
      guard let shardName = map[key], shards[shardName]?.record(key) != nil else {
        throw CheckpointError(
          .missingTensor, file: indexPath, key: key,
          "the index places this tensor in \(map[key] ?? "no shard"), which does not hold it")
      }
    }
    name = indexPath
    files = [indexPath] + names.map { joinedPath(folder, $0) }
    self.shards = shards
    shardNames = map
  }

  /// Type and shape of a key; nil where there is no such key.
  public func record(_ key: String) -> TensorRecord? { shard(of: key)?.record(key) }

  /// The tensor of a key, from its shard.
  ///
  /// - Throws: ``CheckpointError`` as ``SafetensorsFile/tensor(_:)`` does.
  public func tensor(_ key: String) throws -> Tensor {
    guard let shard = shard(of: key) else { throw CheckpointError.missing(key, in: name) }
    return try shard.tensor(key)
  }

  private func shard(of key: String) -> SafetensorsFile? {
    shardNames[key].flatMap { shards[$0] }
  }

  private static func openShard(_ path: String, index: String) throws -> SafetensorsFile {
    do {
      return try SafetensorsFile(path: path)
    } catch let error as CheckpointError where error.code == .missingFile {
      throw CheckpointError(
        .missingFile, file: path, errorNumber: error.errorNumber,
        "the shard is missing; \(index) names it, so the checkpoint was not copied completely")
    }
  }

  private static func checkKeys(
    of shard: SafetensorsFile, named shardName: String, in map: [String: String], index: String
  ) throws {
    for key in shard.keys where map[key] != shardName {
      let found = map[key].map { "places it in \($0)" } ?? "does not list it"
      throw CheckpointError(
        .malformed, file: shard.name, key: key,
        "the tensor is in this shard, but the index \(index) \(found)")
    }
  }

  /// The key-to-shard table of an index file, every name checked.
  static func weightMap(_ path: String) throws -> [String: String] {
    let bytes = try RegularFile(path: path).contents(limit: indexByteLimit)
    return try unsafe bytes.withUnsafeBufferPointer { buffer in
      do {
        return try unsafe weightMap(JSONReader(buffer), path)
      } catch let error as JSONError {
        throw CheckpointError(.malformed, file: path, "the index is not valid: \(error)")
      }
    }
  }

  private static func weightMap(_ start: JSONReader, _ path: String) throws -> [String: String] {
    var reader = start
    var map: [String: String]?
    var object = try reader.beginObject()
    while let name = try reader.nextName(in: &object) {
      guard name == "weight_map" else {
        _ = try reader.value()
        continue
      }
      var entries: [String: String] = [:]
      var inner = try reader.beginObject()
      while let key = try reader.nextName(in: &inner) {
        let shard = try reader.string()
        guard isPlainFileName(shard), shard.hasSuffix(".safetensors") else {
          throw CheckpointError(
            .malformed, file: path, key: key,
            "the shard \"\(JSONError.excerpt(of: shard))\" is not the plain name of a "
              + ".safetensors file")
        }
        entries[key] = shard
      }
      map = entries
    }
    try reader.end()
    guard let map, !map.isEmpty else {
      throw CheckpointError(
        .malformed, file: path, "the index has no weight_map, or an empty one")
    }
    return map
  }
}
