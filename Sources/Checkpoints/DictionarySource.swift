public import TensorCore

/// Tensors held in memory under their keys.
public struct DictionarySource: WeightSource {
  /// What stands for the file in messages.
  public let name: String
  /// Every key, sorted.
  public let keys: [String]
  private let tensors: [String: Tensor]

  /// Holds tensors; `name` stands for the file in messages.
  public init(_ tensors: [String: Tensor], name: String = "memory") {
    self.tensors = tensors
    self.name = name
    keys = tensors.keys.sorted()
  }

  /// Type and shape of a key; nil where there is no such key.
  public func record(_ key: String) -> TensorRecord? {
    tensors[key].map { TensorRecord(type: .float32, shape: $0.shape) }
  }

  /// The tensor of a key, checked to be finite.
  ///
  /// - Throws: ``CheckpointError`` naming the key where it is absent or holds NaN or infinity.
  public func tensor(_ key: String) throws -> Tensor {
    guard let tensor = tensors[key] else { throw CheckpointError.missing(key, in: name) }
    if let error = CheckpointError.notFinite(tensor, key: key, in: name) { throw error }
    return tensor
  }
}
