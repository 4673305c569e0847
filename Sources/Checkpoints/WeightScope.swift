import Synchronization
public import TensorCore

/// A place in a checkpoint's tree of keys, from which layers read their own weights.
///
/// `weights / "conv1"` descends one segment; ``tensor(_:_:)`` asks for a key below this place and checks its
/// shape. All scopes of one model share a record of the keys read, so that the model can refuse leftovers.
public struct WeightScope: Sendable {
  private final class UsedKeys: Sendable {
    let keys = Mutex(Set<String>())
  }

  private let source: any WeightSource
  private let used: UsedKeys
  /// The key prefix, without a trailing dot; empty at the root.
  public let path: String

  /// The root of a source.
  public init(_ source: any WeightSource) {
    self.init(source: source, used: UsedKeys(), path: "")
  }

  private init(source: any WeightSource, used: UsedKeys, path: String) {
    self.source = source
    self.used = used
    self.path = path
  }

  /// The scope one segment down.
  public static func / (scope: WeightScope, segment: String) -> WeightScope {
    WeightScope(source: scope.source, used: scope.used, path: scope.key(segment))
  }

  /// The scope of a numbered part.
  public static func / (scope: WeightScope, index: Int) -> WeightScope { scope / "\(index)" }

  /// The file or folder, for messages.
  public var file: String { source.name }

  /// Whether the checkpoint has `name` below this place.
  public func contains(_ name: String) -> Bool { source.record(key(name)) != nil }

  /// The stored shape of `name`, nil where absent.
  public func shape(_ name: String) -> [Int]? { source.record(key(name))?.shape }

  /// Reads the tensor `name` below this place.
  ///
  /// - Throws: ``CheckpointError`` with the full key if it is absent, misshapen, not a float or not finite.
  public func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
    let key = key(name)
    guard let record = source.record(key) else {
      throw CheckpointError(
        .missingTensor, file: source.name, key: key,
        "the tensor is missing; expected shape \(shape). The configuration does not fit this file")
    }
    guard record.shape == shape else {
      throw CheckpointError(
        .wrongShape, file: source.name, key: key,
        "found shape \(record.shape), expected \(shape). The configuration does not fit this file")
    }
    let tensor = try source.tensor(key)
    used.keys.withLock { _ = $0.insert(key) }
    return tensor
  }

  /// Notes a key as read without reading it (buffers that models recompute).
  public func ignore(_ name: String) {
    let key = key(name)
    used.keys.withLock { _ = $0.insert(key) }
  }

  /// The keys below this place that nobody has read, sorted.
  public var unusedKeys: [String] {
    let prefix = path.isEmpty ? "" : path + "."
    return used.keys.withLock { used in
      source.keys.filter { $0.hasPrefix(prefix) && !used.contains($0) }
    }
  }

  /// Refuses leftovers, so that a wrong configuration cannot load quietly.
  ///
  /// - Throws: ``CheckpointError`` naming the first keys nobody asked for.
  public func checkEverythingUsed() throws {
    let left = unusedKeys
    guard let first = left.first else { return }
    throw CheckpointError(
      .unusedTensors, file: source.name, key: first,
      "\(left.count) tensor(s) have no place in this model, this is the first; "
        + "the configuration does not fit this file")
  }

  private func key(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
