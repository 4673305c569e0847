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
