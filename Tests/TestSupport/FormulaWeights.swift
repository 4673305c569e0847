public import Checkpoints
public import TensorCore

/// A checkpoint whose tensors are made by ``Formula`` when they are asked for.
public struct FormulaWeights: WeightSource {
  /// What stands for the file in messages.
  public let name: String
  /// Every key, sorted.
  public let keys: [String]
  private let shapes: [String: [Int]]
  private let seed: UInt64

  /// Names the tensors.
  public init(_ shapes: [String: [Int]], seed: UInt64, name: String = "formula") {
    self.shapes = shapes
    self.seed = seed
    self.name = name
    keys = shapes.keys.sorted()
  }

  /// Type and shape of a key; nil where there is no such key.
  public func record(_ key: String) -> TensorRecord? {
    shapes[key].map { TensorRecord(type: .float32, shape: $0) }
  }

  /// The tensor of a key, zero where it has no effect on any output.
  public func tensor(_ key: String) throws -> Tensor {
    guard let shape = shapes[key] else {
      throw CheckpointError(
        .missingTensor, file: name, key: key, "the formula was not asked for it")
    }
    guard let kind = Formula.kind(key, rank: shape.count) else { return Tensor.zeros(shape) }
    return Formula.tensor(key, shape, kind, seed: seed)
  }
}
