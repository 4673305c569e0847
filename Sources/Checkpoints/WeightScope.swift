import Synchronization
public import TensorCore

/// A place in a checkpoint's tree of keys, from which layers read their own weights.
///
/// `weights / "conv1"` descends one segment; ``tensor(_:_:)`` asks for a key below this place and checks its
/// shape. All scopes of one model share a record of the keys read, so that the model can refuse leftovers.
/// Under a ``WeightAudit`` nothing is read: what does not fit is written down instead of thrown.
public struct WeightScope: Sendable {
  private final class UsedKeys: Sendable {
    let keys = Mutex(Set<String>())
  }

  private let source: any WeightSource
  private let used: UsedKeys
  private let audit: AuditLog?
  /// The key prefix, without a trailing dot; empty at the root.
  public let path: String

  /// The root of a source.
  public init(_ source: any WeightSource) {
    self.init(source: source, used: UsedKeys(), audit: nil, path: "")
  }

  /// The root of a source that is only compared with what is asked for.
  init(_ source: any WeightSource, audit: AuditLog) {
    self.init(source: source, used: UsedKeys(), audit: audit, path: "")
  }

  private init(source: any WeightSource, used: UsedKeys, audit: AuditLog?, path: String) {
    self.source = source
    self.used = used
    self.audit = audit
    self.path = path
  }

  /// The scope one segment down.
  public static func / (scope: WeightScope, segment: String) -> WeightScope {
    WeightScope(
      source: scope.source, used: scope.used, audit: scope.audit, path: scope.key(segment))
  }

  /// The scope of a numbered part.
  public static func / (scope: WeightScope, index: Int) -> WeightScope { scope / "\(index)" }

  /// The file or folder, for messages.
  public var file: String { source.name }

  /// Whether only shapes are compared (see ``WeightAudit``): every tensor is then zero.
  public var isAudit: Bool { audit != nil }

  /// Whether the checkpoint has the tensor `name` below this place.
  public func contains(_ name: String) -> Bool { source.record(key(name)) != nil }

  /// The stored shape of `name`, nil where absent.
  public func shape(_ name: String) -> [Int]? { source.record(key(name))?.shape }

  /// How the elements of `name` are stored, nil where absent.
  public func type(of name: String) -> ElementType? { source.record(key(name))?.type }

  /// The first of several names under which the checkpoint has a tensor or a whole part; nil where it has none.
  ///
  /// Published files name the same weights differently: `to_q` or, in old conversions, `query`.
  ///
  /// - Complexity: logarithmic in the number of keys.
  public func firstPresent(_ names: [String]) -> String? {
    names.first { name in
      if contains(name) { return true }
      let prefix = key(name) + "."
      let keys = source.keys
      var (low, high) = (0, keys.count)
      while low < high {
        let middle = (low + high) / 2
        if keys[middle] < prefix { low = middle + 1 } else { high = middle }
      }
      return low < keys.count && keys[low].hasPrefix(prefix)
    }
  }

  /// The part under the first of several names that is present; under the first name where none is, so that
  /// the error names it.
  ///
  /// - Precondition: there is a name.
  public func part(named names: [String]) -> WeightScope {
    precondition(!names.isEmpty, "part(named:) needs a name")
    return self / (firstPresent(names) ?? names[0])
  }

  /// Reads the tensor `name` below this place.
  ///
  /// - Throws: ``CheckpointError`` with the full key if it is absent, misshapen, not a float or not finite.
  public func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
    let key = key(name)
    let record = source.record(key)
    if let audit {
      markUsed(key)
      return try audit.placeholder(key, shape, found: record, file: source.name)
    }
    guard let record else {
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
    markUsed(key)
    return tensor
  }

  /// Reads the matrix `name` below this place, which may be stored as a 1×1 convolution.
  ///
  /// - Shapes: stored [rows, columns] or [rows, columns, 1, 1] → [rows, columns].
  /// - Throws: ``CheckpointError`` as ``tensor(_:_:)`` does.
  public func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> Tensor {
    let isConvolution = shape(name) == [rows, columns, 1, 1]
    return try tensor(name, isConvolution ? [rows, columns, 1, 1] : [rows, columns])
      .reshaped([rows, columns])
  }

  /// Notes a key as read without reading it.
  ///
  /// For buffers that models recompute, such as `position_ids`; the key need not be there.
  public func ignore(_ name: String) { markUsed(key(name)) }

  /// The keys below this place that nobody has read, sorted.
  public var unusedKeys: [String] {
    let prefix = path.isEmpty ? "" : path + "."
    return used.keys.withLock { used in
      source.keys.filter { $0.hasPrefix(prefix) && !used.contains($0) }
    }
  }

  /// Refuses leftovers, so that a wrong configuration cannot load quietly; does nothing under an audit, which
  /// reports them.
  ///
  /// - Throws: ``CheckpointError`` naming the first keys nobody asked for.
  public func checkEverythingUsed() throws {
    guard audit == nil else { return }
    let left = unusedKeys
    guard let first = left.first else { return }
    throw CheckpointError(
      .unusedTensors, file: source.name, key: first,
      "\(left.count) tensor(s) have no place in this model, this is the first; "
        + "the configuration does not fit this file")
  }

  private func markUsed(_ key: String) { used.keys.withLock { _ = $0.insert(key) } }

  private func key(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
