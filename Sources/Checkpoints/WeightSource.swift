public import TensorCore

/// What a checkpoint says about one stored tensor.
public struct TensorRecord: Sendable, Equatable {
  /// How the elements are stored.
  public var type: ElementType
  /// The length of each axis, as stored.
  public var shape: [Int]

  /// Names type and shape.
  public init(type: ElementType, shape: [Int]) {
    self.type = type
    self.shape = shape
  }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }
}

/// Something that holds named tensors: a file, a set of shards, a dictionary.
public protocol WeightSource: Sendable {
  /// The file or folder, for messages.
  var name: String { get }
  /// Every key, sorted.
  var keys: [String] { get }
  /// Type and shape of a key; nil where the source has no such key.
  func record(_ key: String) -> TensorRecord?
  /// The tensor of a key, widened to float and checked to be finite.
  ///
  /// - Throws: ``CheckpointError`` naming the key where it is absent, not a float type, or holds NaN or infinity.
  func tensor(_ key: String) throws -> Tensor
}

extension WeightSource {
  /// The number of elements of all tensors that models compute with.
  public var parameterCount: Int {
    keys.reduce(0) { sum, key in
      guard let record = record(key), record.type.isComputable else { return sum }
      return sum + record.count
    }
  }

  /// How many tensors are stored in each type.
  public var typeCounts: [ElementType: Int] {
    var counts: [ElementType: Int] = [:]
    for key in keys {
      if let record = record(key) { counts[record.type, default: 0] += 1 }
    }
    return counts
  }
}

extension CheckpointError {
  static func missing(_ key: String, in file: String) -> CheckpointError {
    CheckpointError(.missingTensor, file: file, key: key, "the tensor is missing")
  }

  /// Names the first element that is NaN or infinite; nil where all are finite.
  static func notFinite(_ tensor: Tensor, key: String, in file: String) -> CheckpointError? {
    guard !tensor.isFinite else { return nil }
    let (index, value) = unsafe tensor.withUnsafeBuffer { buffer in
      let index = unsafe buffer.firstIndex { !$0.isFinite } ?? 0
      return unsafe (index, buffer[index])
    }
    return CheckpointError(
      .notFinite, file: file, key: key,
      "element \(index) of \(tensor.count) is \(value.isNaN ? "NaN" : "\(value)"), expected finite numbers; "
        + "the file is damaged or its training diverged")
  }
}
